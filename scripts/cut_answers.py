"""How many answers to a POST arrive incomplete: with a Content-Length, and chunked.

    python scripts/cut_answers.py [REQUESTS]

Each proxy, with Uvicorn and its recipe, over both schemes: many clients post 256 KiB to an
application that sends them back at once. See docs/findings.md.
"""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from hoplab.catalogue import load
from hoplab.client.sending import CHUNKED
from hoplab.client.wire import Client, Headers
from hoplab.endpoint import Endpoint
from hoplab.engines import certificates
from hoplab.engines.process import ProcessEngine
from hoplab.errors import HarnessError, NoAnswer
from hoplab.system import interrupts, runs
from hoplab.topology import Scheme
from hoplab.workspace import checkout

BODY = bytes(256 * 1024)
CLIENTS = 24
OK = 200


def main(requests: int) -> None:
    """Start, post, count."""
    interrupts.install()
    catalogue = load(checkout())
    workspace = catalogue.workspace
    deployments = [
        catalogue.recommended(topology)
        for topology in catalogue.topologies
        if topology.name.endswith("uvicorn-strip")
    ]
    files = certificates.ensure(workspace.certificates)
    engine = ProcessEngine(catalogue, deployments, runs.new(workspace.runs), files)
    try:
        for endpoint in engine.start():
            for scheme in Scheme:
                for how, headers in (("Content-Length", []), ("chunked", [CHUNKED])):
                    cut = count(endpoint, scheme, headers, requests)
                    where = f"{endpoint.topology.proxy:8} {scheme:6} {how:15}"
                    print(f"{where} {cut} of {requests} answers cut")
    finally:
        engine.stop()


def count(endpoint: Endpoint, scheme: Scheme, headers: Headers, requests: int) -> int:
    """The answers that were not the whole body."""

    def post(_number: int) -> bool:
        interrupts.check()
        origin = endpoint.origin(scheme)
        where = {origin: (endpoint.host, endpoint.ports[scheme])}
        client = Client(where, endpoint.authority, endpoint.source)
        try:
            answer = client.request("POST", f"{endpoint.base(scheme)}/echo", headers, BODY)
        except NoAnswer:
            return False
        finally:
            client.close()
        if answer.status != OK:
            message = f"{answer}: expected {OK}"
            raise HarnessError(message)
        return answer.body == BODY

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(post, range(requests)))[False]


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5000)
