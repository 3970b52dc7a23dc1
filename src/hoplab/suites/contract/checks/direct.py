from hoplab.client.probe import NotApplicable, Probe, Recorded
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.errors import HarnessError, NoAnswer
from hoplab.suites.check import Part, independent_of


@independent_of(Part.TRUST)
@needs(Knowledge.INSTANCE, Knowledge.ROOT_PATH, Purpose.GREETING)
def direct(probe: Probe) -> str:
    """How does the application behave if it is asked directly, past the proxy?

    FastAPI's guide: `/app` answers and reports the prefix, the same path with the prefix does not
    answer, and `/docs` can't load its OpenAPI. Recorded, not judged.
    """
    probe.client.source = None
    root_path, route = probe.target.root_path, probe.route(Purpose.GREETING)
    try:
        app = probe.ask_directly(route)
        prefixed = probe.ask_directly(f"{root_path}{route}")
        openapi = probe.ask_directly(f"{root_path}/openapi.json")
    except NoAnswer as error:  # Docker Desktop and rootless Docker keep it to themselves
        raise NotApplicable(f"not asked: {error}") from error
    if not probe.from_app(app):
        message = f"{app}: somebody else answers there"
        raise HarnessError(message)
    raise Recorded(
        f"{route}: {app.status} {app.body.decode()}; with the prefix: {prefixed.status};"
        f" the OpenAPI document that /docs names: {openapi.status}"
    )
