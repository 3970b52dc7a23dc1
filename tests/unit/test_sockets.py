"""Addresses, and connections to them."""

from pathlib import Path

import pytest

from hoplab.errors import HoplabError
from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import address, open_socket, require_address


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("app", "app:80")]
)
def test_address(host: str, written: str) -> None:
    assert address(host, 80) == written


def test_an_address_that_the_machine_does_not_have_is_told() -> None:
    require_address(LOOPBACK)
    with pytest.raises(HoplabError, match="This machine has no address 2001:db8::1: "):
        require_address("2001:db8::1")


def test_a_unix_socket_at_which_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_socket((str(tmp_path / "none.sock"), 0), None, 5)
