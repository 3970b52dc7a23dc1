from hoplab.errors import HarnessError, NoAnswer
from hoplab.probe import NotApplicable, Probe, Recorded


def direct(probe: Probe) -> str:
    """How does the application behave if it is asked directly, past the proxy?

    FastAPI's guide: `/app` answers and reports the prefix, `/docs` can't load its OpenAPI.
    Recorded, not judged.
    """
    if probe.endpoint.direct is None:
        message = "this machine can't reach the application past the proxy"
        raise NotApplicable(message)
    host, port = probe.endpoint.direct
    origin = f"http://{host}:{port}"
    probe.client.origins[origin] = probe.endpoint.direct
    probe.client.source = None
    try:
        app = probe.get(f"{origin}/app")
        openapi = probe.get(f"{origin}{probe.root_path}/openapi.json")
    except NoAnswer as error:  # Docker Desktop and rootless Docker keep it to themselves
        raise NotApplicable(str(error)) from error
    if not probe.from_app(app):
        message = f"{app}: somebody else answers there"
        raise HarnessError(message)
    raise Recorded(f"/app: {app.status} {app.body.decode()}; its OpenAPI: {openapi.status}")
