from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange
from hoplab.errors import HarnessError
from hoplab.suites.contract.checks.spoof import believed, lies_of, seen


@needs(Knowledge.INSTANCE, Purpose.SCOPE)
def bypass(probe: Probe) -> str:
    """Does anything change if a stranger who finds the way past the proxy sends forwarded headers?

    Only an engine that gives the client an address which is no proxy's can tell. Symptom:
    `direct-spoofable`.
    """
    direct = probe.target.direct
    if direct is None or probe.target.source is None:
        message = "not asked past the proxy: nobody here reaches it from an address not trusted"
        raise NotApplicable(message)
    path, lies = direct.prefix + probe.route(Purpose.SCOPE), lies_of(probe)
    before = _by_application(probe, probe.ask_directly(path))
    honest = seen(probe.expect(before).json())
    asked = f"asked directly, from {probe.target.source}, with forwarded headers:"
    answer = _by_application(probe, probe.ask_directly(path, lies))
    if not probe.answers(answer):  # a prefix that was believed leads elsewhere
        raise Failed("direct-spoofable", f"{asked} {answer}, and without {before.status}")
    if difference := believed(honest, seen(answer.json()), lies):
        raise Failed("direct-spoofable", f"{asked} {difference[1]}")
    return f"{asked} nothing changed"


def _by_application(probe: Probe, exchange: Exchange) -> Exchange:
    if not probe.from_app(exchange):
        message = f"{exchange}: somebody else answers there"
        raise HarnessError(message)
    return exchange
