"""A mounted static file, and its `url_for`."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("static") == "pass"


def test_file(public: Public) -> None:
    answer = public.get("/api/v1/static/hello.txt")

    assert answer.status_code == 200
    assert answer.content == b"Hello from a static file.\n"


def test_url_for(public: Public) -> None:
    assert public.scope()["static_url"] == public.origin + "/api/v1/static/hello.txt"
