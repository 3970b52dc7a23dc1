"""Your own application behind a proxy, in your own tests: as in `hoplab check`.

pytest imports this module in every project in which hoplab is installed: so it imports nothing else
until a test wants it.
"""

# ruff: noqa: PLC0415 - what a test needs is imported in it

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from hoplab.testing import Behind, Running

    Start: TypeAlias = Callable[..., Behind]
    Check: TypeAlias = Callable[..., None]

_MARKER = (
    "hoplab(application, proxy=…, server=…, mode=…, scheme=…, prefix=…, …): the topologies for"
    " hoplab_app and hoplab_check; each a name or a list, the eight main ones if left out"
)
_RUNNING: "pytest.StashKey[Running]" = pytest.StashKey()
_LOGS = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, also to --strict-markers."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with `hoplab_app` runs once for each topology that its marker chooses."""
    if "hoplab_app" in metafunc.fixturenames:
        from hoplab import testing

        chosen = testing.chosen(_marked(metafunc.definition))
        metafunc.parametrize("hoplab_app", chosen, indirect=True, ids=testing.name)


@pytest.fixture(scope="session")
def hoplab_behind(pytestconfig: pytest.Config) -> Iterator["Start"]:
    """Start an application behind a proxy: `hoplab_behind("main:app").http` is its URL.

    Options are those of `hoplab.check`; of several topologies, it is the first. The same is started
    once; all is stopped at the end of the session.
    """
    from hoplab import testing

    with testing.Running() as running:
        pytestconfig.stash[_RUNNING] = running
        yield running.start
    del pytestconfig.stash[_RUNNING]


@pytest.fixture
def hoplab_app(request: pytest.FixtureRequest, hoplab_behind: "Start") -> "Behind":
    """The marker's application, behind each topology that the marker chooses."""
    return hoplab_behind(**request.param)


@pytest.fixture
def hoplab_check(request: pytest.FixtureRequest) -> "Check":
    """Assert that an application works behind each proxy: `hoplab_check("main:app")`.

    Options are those of `hoplab.check`; what they leave out, the test's marker says. A failure
    says what is wrong, where, whose doing it is and what fixes it.
    """
    from hoplab import testing

    def check(application: object = None, **options: Any) -> None:
        told, logs = testing.check(application, {**_marked(request.node), **options})
        request.node.stash[_LOGS] = logs
        if told:
            pytest.fail(told, pytrace=False)

    return check


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is in the logs by now is of other tests."""
    if running := item.config.stash.get(_RUNNING, None):
        running.forget()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Attach to a failure what servers and proxies have written since the test began."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and report.when != "teardown":
        running = item.config.stash.get(_RUNNING, None)
        for logs in (item.stash.get(_LOGS, None), running and running.written()):
            told = logs.items() if logs else ()
            report.sections += [(f"hoplab: log of {name}", text) for name, text in told]


def _marked(node: Any) -> dict[str, Any]:
    """What the markers say; that of the test before those of its class and module."""
    told: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("hoplab"))):
        told |= {"application": marker.args[0]} if marker.args else {}
        told |= marker.kwargs
    return told
