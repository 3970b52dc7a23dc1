"""Writes the generated pages of docs/, and the README's recipes.

With --check, only says which differ (exit 1).
"""

import sys

from hoplab.catalogue import Catalogue, load
from hoplab.catalogue.variations import Symptoms
from hoplab.commands import markdown
from hoplab.commands.fixes import changed_lines
from hoplab.predictions import RULES, predict
from hoplab.recipe import recipe
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.topology import Cell
from hoplab.workspace import checkout

START, END = "<!-- recipes: `make docs` -->\n", "<!-- end of recipes -->\n"


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Every generated page's text by its name."""
    made = [
        recipe(catalogue, catalogue.recommended(topology)) for topology in catalogue.all_topologies
    ]
    changes = {
        name: changed_lines(catalogue, next(iter(variation.symptoms)).deployment)
        for name, variation in catalogue.variations.items()
    }

    def must_show(cell: Cell) -> Symptoms:
        return predict(cell, catalogue)

    readme = (catalogue.workspace.root / "README.md").read_text()
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        sys.exit(f"README.md lacks {START!r} or {END!r}")
    return {
        "README.md": before + START + markdown.readme_rows(made) + "\n" + END + after,
        "docs/recipes.md": markdown.recipes_page(made),
        "docs/matrix.md": markdown.matrix_page(catalogue.all_topologies, RULES, must_show),
        "docs/symptoms.md": markdown.symptoms_page(
            [each.under(catalogue.prefix.encoded) for each in SYMPTOMS.values()],
            catalogue.advice_on,
        ),
        "docs/proxies.md": markdown.proxies_page(catalogue.proxies),
        **{
            f"docs/{suite.name}-variations.md": markdown.variations_page(
                suite, catalogue.variations, changes, must_show
            )
            for suite in SUITES.values()
        },
    }


def main() -> int:
    """Write, or compare."""
    different = []
    catalogue = load(checkout())
    for name, text in pages(catalogue).items():
        file = catalogue.workspace.root / name
        if not file.exists() or file.read_text() != text:
            different.append(name)
            if "--check" not in sys.argv:
                file.write_text(text)
    told = ", ".join(different) or "nothing"
    print(f"{'different' if '--check' in sys.argv else 'written'}: {told}")
    return int(bool(different) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
