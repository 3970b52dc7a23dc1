from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.suites.check import Part, independent_of

_PIPELINED = 3


@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.REQUEST, Purpose.ECHO)
def isolation(probe: Probe) -> str:
    """Does every client get its own answer, and every request its own, in order?

    Two clients ask for the same page with cookies of their own; the same question gets a new
    answer; an empty body is nobody else's; requests that are sent without waiting are answered in
    their order (RFC 9112, 9.3.2). Symptoms: `answer-shared`, `answers-swapped`.
    """
    route = probe.route(Purpose.REQUEST)
    serials = []
    for name in ("one", "two", "one"):
        cookie = f"client={name}"
        answer = probe.ask_again(f"{route}?shared", [("Cookie", cookie)])
        told = probe.told(answer, "headers", "serial")
        if ["cookie", cookie] not in told["headers"]:
            raise Failed("answer-shared", f"{answer}: asked with {cookie}; it answers another one")
        serials.append(told["serial"])
    if len(set(serials)) != len(serials):
        raise Failed("answer-shared", f"{route}: the same answer came again, as from a cache")
    probe.expect(probe.request("POST", probe.route(Purpose.ECHO), body=b"of one client"))
    empty = probe.expect(probe.request("POST", probe.route(Purpose.ECHO), body=b""))
    if empty.body:
        raise Failed("answer-shared", f"{empty}: sent nothing, and {empty.body[:40]!r} came back")
    asked = [f"{route}?in-order={number}" for number in range(_PIPELINED)]
    answers = [
        probe.told(answer, "query_string")["query_string"] for answer in probe.pipelined(asked)
    ]
    if answers != [path.partition("?")[2] for path in asked]:
        raise Failed("answers-swapped", f"asked without waiting, {asked} were answered: {answers}")
    return f"two clients, each its own answer; {_PIPELINED} requests at once, in order"
