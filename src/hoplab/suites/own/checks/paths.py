from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.own.checks.asked import ask, named, pages, raise_all


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def paths(probe: Probe) -> str:
    """Does every path answer below the prefix as it does without a proxy, by this very instance?

    With the same status; routes, mounts, static files, pairs with and without a slash at the end,
    and what answers link to. Symptoms: none of its own.
    """
    found = []
    asked = pages(probe)
    for page in asked:
        answer = ask(probe, page)
        if probe.from_app(answer) and answer.status == page.status:
            continue
        if page.method == "GET" and probe.answers(probe.ask_again(page.path), page.status):
            continue  # it answers now this, now that: nothing that a proxy has to do with
        try:
            probe.reached(answer)
            probe.fail(WRONG, answer, f"{page.status}, as without a proxy")
        except Failed as failure:
            found.append((failure, named(page)))
    raise_all(found)
    return f"{len(asked)} paths answer as without a proxy"
