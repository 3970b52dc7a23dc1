from hoplab.client.probe import Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.contract.checks.boundary import ask_with_dots, beside, no_tunnel, outside
from hoplab.suites.own.checks.asked import known

_OK = 200


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def edges(probe: Probe) -> str:
    """Does nothing but what is below the prefix reach the application?

    Not a sibling of the prefix, nor a path without it, nor one with dots; and no upgrade to HTTP/2.
    Without a prefix, only the last is asked. What the proxy serves there itself is not judged:
    it may be another site.
    Symptoms: `prefix-leaks`, `tunnel-opened`.
    """
    right = [page.path for page in known(probe).pages if page.status == _OK]
    path = next((each for each in right if each != "/"), "/").partition("?")[0]
    if probe.target.prefix:
        outside(probe, beside(probe.target.prefix, path), shared=True)
        ask_with_dots(probe, probe.target.prefix, path)
    no_tunnel(probe, path)
    outside_it = f"sibling, missing and dotted prefix of {path}" if probe.target.prefix else path
    return f"{outside_it}; no h2c"
