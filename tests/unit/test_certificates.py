"""The proxies' certificate: for which names, by whom signed, and made once."""

import ipaddress
import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hoplab.client.wire import Client
from hoplab.engines.certificates import Certificates, ensure
from tests.unit.stub import LOOPBACK, recording

FILES = {"ca.pem", "server.pem", "server.key"}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def belong_together(made: Certificates) -> bool:
    """The key is the certificate's, and the authority signed it."""
    leaf, *_ = x509.load_pem_x509_certificates(made.certificate.read_bytes())
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    key = load_pem_private_key(made.key.read_bytes(), None)
    leaf.verify_directly_issued_by(authority)
    return leaf.public_key() == key.public_key()


@pytest.mark.parametrize("name", ["mysuperapp.com", "localhost", "127.0.0.1"])
def test_a_client_accepts_these_names(certificates: Certificates, name: str) -> None:
    with recording(certificates=certificates) as recorder:
        origin = f"https://{name}:{recorder.port}"
        client = Client({origin: (LOOPBACK, recorder.port)}, certificates.authority)
        assert client.request("GET", origin).status == 200
        client.close()


def test_names(certificates: Certificates) -> None:
    leaf, *_ = x509.load_pem_x509_certificates(certificates.certificate.read_bytes())

    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["mysuperapp.com", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.IPv4Address(LOOPBACK)]


def test_private_key_of_the_authority_is_nowhere(certificates: Certificates) -> None:
    authority = x509.load_pem_x509_certificate(certificates.authority.read_bytes())
    keys = [text for text in contents(certificates.folder).values() if b"PRIVATE KEY" in text]

    assert {file.name for file in certificates.folder.iterdir()} == FILES
    assert belong_together(certificates)
    [key] = keys
    assert load_pem_private_key(key, None).public_key() != authority.public_key()


def test_containers_can_read_them(certificates: Certificates) -> None:
    assert stat.S_IMODE(certificates.folder.stat().st_mode) == 0o755
    for name in FILES:
        assert (certificates.folder / name).stat().st_mode & stat.S_IROTH


def test_second_call_keeps_what_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "certificates"
    before = contents(ensure(folder).folder)

    again = ensure(folder)

    assert contents(again.folder) == before
    assert list(folder.parent.iterdir()) == [folder], "a temporary folder is left"


def test_two_are_different(tmp_path: Path) -> None:
    one, two = ensure(tmp_path / "one"), ensure(tmp_path / "two")

    assert one.authority.read_bytes() != two.authority.read_bytes()


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("how", ["missing", "empty", "no PEM", "a folder", "a dangling link"])
def test_damaged_folder_is_repaired(tmp_path: Path, name: str, how: str) -> None:
    folder = tmp_path / "certificates"
    old = contents(ensure(folder).folder)
    file = folder / name
    file.unlink()
    match how:
        case "empty":
            file.touch()
        case "no PEM":
            file.write_bytes(b"garbage\xff")
        case "a folder":
            file.mkdir()
        case "a dangling link":
            file.symlink_to("nowhere")

    repaired = ensure(folder)

    assert {file.name for file in folder.iterdir()} == FILES
    assert belong_together(repaired)
    assert not set(contents(folder).values()) & set(old.values()), "old and new are mixed"
    assert list(tmp_path.iterdir()) == [folder]


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "certificates").mkdir()

    assert belong_together(ensure(tmp_path / "certificates"))


@pytest.mark.parametrize("damaged", [False, True], ids=["none there", "damaged"])
def test_many_at_the_same_time_give_one_set(tmp_path: Path, *, damaged: bool) -> None:
    folder = tmp_path / "certificates"
    if damaged:
        ensure(folder).authority.unlink()
    start = threading.Barrier(8)

    def one(_number: int) -> bool:
        start.wait()
        return belong_together(ensure(folder))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(8)))
    assert list(tmp_path.iterdir()) == [folder]


def test_trouble_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trustme.Blob.write_to_path", full)

    with pytest.raises(OSError, match="No space left"):
        ensure(tmp_path / "certificates")

    assert list(tmp_path.iterdir()) == []
    shutil.rmtree(tmp_path)
