from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.cors.right import MAIN, headers, right_of


@needs(Knowledge.INSTANCE, Knowledge.POLICIES)
def order(probe: Probe) -> str:
    """Does a request pass the layers from the one added last inwards, and its answer back?

    And is every preflight answered by the outermost CORS layer? Every answer names the layers in
    X-Middleware. Symptom: `middleware-misordered`.
    """
    told = []
    right = right_of(probe.target.right)
    for path, layers in right.layers.items():
        passed = _passed(probe, "GET", path)
        _compare(f"GET {path}", passed, list(layers))
        cors = [layer for layer in layers if layer.endswith("cors")]
        if cors and not right.answered_by_proxy:
            outermost = layers.index(cors[0]) + 1
            asked = _passed(probe, "OPTIONS", path)
            _compare(f"preflight {path}", asked, list(layers[:outermost]))
        told.append(f"{path}: {' '.join(passed)}")
    return "; ".join(told)


def _passed(probe: Probe, method: str, path: str) -> list[str]:
    preflight = method == "OPTIONS"
    answer = probe.answered(probe.request(method, path, headers(MAIN, preflight=preflight)))
    named = answer.header("X-Middleware")
    if named is None:
        probe.reached(answer)
        probe.fail(WRONG, answer, "an answer that names the layers which it passed")
    return named.split()


def _compare(what: str, passed: list[str], layers: list[str]) -> None:
    expected = [f">{layer}" for layer in layers] + [f"<{layer}" for layer in reversed(layers)]
    if passed != expected:
        detail = f"{what} passed {' '.join(passed)}, expected {' '.join(expected)}"
        raise Failed("middleware-misordered", detail)
