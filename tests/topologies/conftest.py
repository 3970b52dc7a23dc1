"""A test that takes `public` runs for both engines, all topologies and both schemes."""

import os
import signal
from collections.abc import Generator, Iterator

import pytest

from hoplab.topology import Scheme
from tests.docker_required import needs_docker
from tests.topologies.labs import CELLS, ENGINES, Labs, Public


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "public" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("https_alone")
        cases = [
            pytest.param(
                (engine, cell),
                id=f"{engine}-{cell.topology.name}-{cell.scheme}",
                marks=[needs_docker] * (engine == "docker"),
            )
            for engine in ENGINES
            for cell in CELLS
            if cell.scheme is Scheme.HTTPS or not alone
        ]
        metafunc.parametrize("public", cases, indirect=True)


@pytest.fixture(scope="package")  # not the session: thirty containers would run beside all others
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Nothing is started before a test asks for it. SIGTERM ends the session as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    own = tmp_path_factory.getbasetemp()
    labs = Labs(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
    yield labs
    labs.stop()
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def public(request: pytest.FixtureRequest, labs: Labs) -> Public:
    engine, cell = request.param
    return Public(labs, engine, cell)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    public = item.funcargs.get("public")
    if report.failed and isinstance(public, Public):
        report.sections += public.evidence()
    return report
