"""Which origins may read what, in the post's problem and in its fixes."""

import pytest

from app.cors.parts import MAIN, METRICS
from tests.unit.cors.variants import STRANGER, VARIANTS, Ask, allowed, headers

pytestmark = pytest.mark.usefixtures("no_counts")


ALL, HIS, HERS, NOBODY = {MAIN, METRICS}, {MAIN}, {METRICS}, set[str]()


@pytest.mark.parametrize(
    ("variant", "path", "simple", "preflight"),
    [
        ("both", "/items/", HIS, HIS),
        ("both", "/metrics", HIS, HIS),
        ("both", "/metrics/", ALL, HIS),
        ("both", "/metrics/missing", ALL, HIS),
        ("both", "/metrics/fail", HIS, HIS),
        ("both", "/fail", NOBODY, HIS),
        ("inner_only", "/items/", NOBODY, NOBODY),
        ("inner_only", "/metrics", NOBODY, NOBODY),
        ("inner_only", "/metrics/", HERS, HERS),
        ("inner_only", "/metrics/fail", NOBODY, HERS),
        ("no_layer", "/items/", NOBODY, NOBODY),
        ("no_layer", "/metrics", NOBODY, NOBODY),
        ("no_layer", "/metrics/", NOBODY, NOBODY),
        ("route_middleware", "/items", HIS, HIS),
        ("route_middleware", "/items/", HIS, HIS),
        ("route_middleware", "/missing", HIS, HIS),
        ("route_middleware", "/fail", HIS, HIS),
        ("route_middleware", "/metrics", HERS, HERS),
        ("route_middleware", "/metrics/", HERS, HERS),
        ("route_middleware", "/metrics/missing", HERS, HERS),
        ("route_middleware", "/metrics/fail", HERS, HERS),
        ("router", "/items/", ALL, ALL),
        ("router", "/metrics", ALL, ALL),
        ("router", "/metrics/fail", ALL, ALL),
        ("router", "/fail", ALL, ALL),
        ("single", "/items/", ALL, ALL),
        ("single", "/metrics", ALL, ALL),
        ("single", "/metrics/fail", ALL, ALL),
        ("single", "/fail", ALL, ALL),
        ("single_added", "/items/", ALL, ALL),
        ("single_added", "/metrics/", ALL, ALL),
        ("single_added", "/metrics/fail", ALL, ALL),
        ("single_added", "/fail", NOBODY, ALL),
    ],
)
def test_which_origins_may_read(
    ask: Ask, variant: str, path: str, simple: set[str], preflight: set[str]
) -> None:
    app = VARIANTS[variant].app
    let_in: dict[str, set[str]] = {"GET": set(), "OPTIONS": set()}

    for origin in (MAIN, METRICS, STRANGER, "null"):
        for method, sent in [
            ("GET", headers(origin)),
            ("OPTIONS", headers(origin, requests="GET", names="x-requested-with")),
        ]:
            given = allowed(ask(app, method, path, sent)).get("allow-origin")
            assert given in {origin, None}, "one of them reads what another asked for"
            let_in[method] |= {given} if given else set()

    assert let_in == {"GET": simple, "OPTIONS": preflight}
