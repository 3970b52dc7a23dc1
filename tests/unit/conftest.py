import sys
from collections.abc import Iterator

import pytest

from hoplab.client import sending
from hoplab.engines.certificates import Certificates, ensure
from hoplab.results import Finding
from tests.unit import wording
from tests.unit.stub import Stub, as_it_is, running_stub


@pytest.fixture(scope="package", autouse=True)
def plain_output() -> Iterator[None]:
    """What Rich obeys, and a continuous integration may set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return ensure(tmp_path_factory.mktemp("unit") / "certificates")


@pytest.fixture(scope="session")
def running(certificates: Certificates) -> Iterator[Stub]:
    with running_stub(certificates) as stub:
        yield stub


@pytest.fixture
def stub(running: Stub) -> Stub:
    """The right deployment; a test may order another."""
    running.serve(as_it_is, as_it_is)
    running.seen.clear()
    return running


@pytest.fixture
def no_counts() -> None:
    """Of the applications with CORS: what tests before have counted, each scrape would tell."""
    for name, module in list(sys.modules.items()):
        if name.startswith("app.cors.") and (metrics := getattr(module, "metrics", None)):
            metrics.requests.clear()
            metrics.seconds.clear()


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow checks wait less, in this process."""
    checks = "hoplab.suites.contract.checks"
    monkeypatch.setattr(sys.modules[f"{checks}.stream"], "_INTERVALS", (0.1, 0.4))
    monkeypatch.setattr(sys.modules[f"{checks}.stream"], "_SOON", 0.3)
    monkeypatch.setattr(sys.modules[f"{checks}.isolation"], "_INTERVALS", (0.2, 0.8))
    monkeypatch.setattr(sys.modules[f"{checks}.websocket_messages"], "_QUIET", 0.3)
    monkeypatch.setattr(sys.modules[f"{checks}.disconnect"], "_SECONDS", 0.5)
    monkeypatch.setattr(sys.modules[f"{checks}.answers"], "_SECONDS", 0.05)
    monkeypatch.setattr(sending, "_PAUSE", 0.05)


@pytest.fixture(scope="module")
def expected(request: pytest.FixtureRequest) -> Iterator[wording.Expected]:
    expected = wording.Expected(request.path.stem)
    yield expected
    if wording.WRITES:
        expected.write()


@pytest.fixture
def as_worded(request: pytest.FixtureRequest, expected: wording.Expected) -> wording.AsWorded:
    """Holds that findings say what they are expected to say, word for word."""

    def compare(*findings: Finding) -> None:
        expected.compare(request.node.name, findings)

    return compare
