"""What the questions have in common: pages, and how several problems are told as a few."""

from collections.abc import Iterable, Sequence

from hoplab.client.explored import Explored, Page
from hoplab.client.probe import Failed, FailedOften, NotApplicable, Probe
from hoplab.client.wire import Exchange
from hoplab.suites.own.explore import asked

_SHOWN = 3


def known(probe: Probe) -> Explored:
    """What the application answers without a proxy; a check declares that it needs it."""
    return probe.target.explored or Explored()


def explored(probe: Probe) -> Explored:
    """The same. Raises NotApplicable over http, if the application answers over https alone."""
    found = known(probe)
    if found.https_only and probe.target.scheme == "http":
        raise NotApplicable("the application redirects http to https")
    return found


def pages(probe: Probe) -> Sequence[Page]:
    """Those that are judged. Raises NotApplicable, with the reasons, if there is none."""
    found = explored(probe)
    if not found.pages:
        reasons = "; ".join(f"{number} {reason}" for reason, number in found.unjudged.items())
        raise NotApplicable(f"no path can be judged: {reasons or 'none was found'}")
    return found.pages


def ask(probe: Probe, page: Page) -> Exchange:
    """Ask for a page behind the proxy as it was asked without."""
    return asked(probe, page.method, page.path)


def named(page: Page) -> str:
    """What of the application makes the answer, as far as that is known."""
    return page.where or f"the answer to {page.path}"


def raise_all(failures: Iterable[tuple[Failed, str]]) -> None:
    """Raise what was found, if anything was: of each symptom, a few places where it shows.

    Nothing is lost of how many there are.
    """
    by_symptom: dict[str, dict[str, str]] = {}
    for failure, where in failures:
        by_symptom.setdefault(failure.symptom, {}).setdefault(failure.detail, where)
    told = []
    for symptom, found in by_symptom.items():
        lines = [f"{detail} ({where})" for detail, where in list(found.items())[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"and {len(found) - _SHOWN} more")
        told.append(Failed(symptom, "\n".join(lines)))
    if told:
        raise FailedOften(told)
