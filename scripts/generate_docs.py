"""Writes the generated pages of docs/, and the README's recipes, anew.

With --check, only says which differ (exit 1).
"""

import sys

from hoplab.catalogue import ROOT, Catalogue, load
from hoplab.catalogue.variations import Symptoms
from hoplab.commands import recipes
from hoplab.predictions import RULES, predict
from hoplab.report import markdown
from hoplab.suites import SYMPTOMS
from hoplab.topology import Cell

START, END = "<!-- recipes: `make docs` -->\n", "<!-- end of recipes -->\n"


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Every generated page's text by its name."""
    made = [
        recipes.recipe(catalogue, catalogue.recommended(topology))
        for topology in catalogue.all_topologies
    ]
    changes = {
        name: recipes.changed_lines(catalogue, next(iter(variation.symptoms)).deployment)
        for name, variation in catalogue.every_variation.items()
    }

    def must_show(cell: Cell) -> Symptoms:
        return predict(cell, catalogue.every_variation)

    readme = (ROOT / "README.md").read_text()
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        sys.exit(f"README.md lacks {START!r} or {END!r}")
    return {
        "README.md": before + START + markdown.readme_rows(made) + "\n" + END + after,
        "docs/recipes.md": markdown.recipes_page(made),
        "docs/matrix.md": markdown.matrix_page(catalogue.all_topologies, RULES, must_show),
        "docs/symptoms.md": markdown.symptoms_page(SYMPTOMS),
        "docs/variations.md": markdown.variations_page(catalogue.variations, changes, must_show),
        "docs/cors-variants.md": markdown.cors_page(catalogue.cors, changes, must_show),
    }


def main() -> int:
    """Write, or compare."""
    different = []
    for name, text in pages(load()).items():
        file = ROOT / name
        if not file.exists() or file.read_text() != text:
            different.append(name)
            if "--check" not in sys.argv:
                file.write_text(text)
    told = ", ".join(different) or "nothing"
    print(f"{'different' if '--check' in sys.argv else 'written'}: {told}")
    return int(bool(different) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
