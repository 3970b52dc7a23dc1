from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.contract.checks.docs import openapi, whole_page
from hoplab.suites.own.checks.asked import explored, raise_all


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def docs(probe: Probe) -> str:
    """Do the docs pages load, whole, and the OpenAPI document that they name?

    Symptoms: `docs-unreachable`, `docs-page-wrong`, `docs-openapi-404`, `docs-openapi-wrong`.
    """
    paths = explored(probe).docs
    if not paths:
        raise NotApplicable("it has no docs page (Swagger UI or ReDoc)")
    found = []
    for path in paths:
        try:
            page = probe.expect(probe.get(path), missing="docs-unreachable")
            url = whole_page(probe, page, "docs-page-wrong")
            openapi(probe, page, url, "docs-openapi-404", "docs-openapi-wrong")
        except Failed as failure:
            found.append((failure, path))
    raise_all(found)
    return f"{', '.join(paths)}, and the OpenAPI document that they name"
