"""The proxies' certificate, made on first use by an authority that exists for that moment only."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hoplab.endpoint import PUBLIC_NAME

NAMES = (PUBLIC_NAME, "localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificates:
    """Files in PEM. `authority` is for clients; its private key is never written anywhere."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Give this to a client: `curl --cacert certificates/ca.pem`."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The proxies' certificate chain."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The proxies' private key."""
        return self.folder / "server.key"

    @property
    def complete(self) -> bool:
        """Whether none is missing, empty or something else."""
        files = (self.authority, self.certificate, self.key)
        return all(file.is_file() and b"-----BEGIN " in file.read_bytes() for file in files)


def ensure(folder: Path) -> Certificates:
    """Give the certificates in `folder`; make them if there are none, or not all.

    Several runs may ask at the same time: one makes them, and they appear all at once.
    """
    certificates = Certificates(folder)
    if not certificates.complete:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder.parent):
            if not certificates.complete:
                _make(folder)
    return certificates


def _make(folder: Path) -> None:
    import trustme  # noqa: PLC0415 - takes longer than all else, and is needed once in a clone

    made = Path(tempfile.mkdtemp(prefix=".certificates-", dir=folder.parent))
    try:
        authority = trustme.CA(organization_name="hoplab", organization_unit_name="workshop")
        server = authority.issue_cert(*NAMES, common_name=PUBLIC_NAME)
        new = Certificates(made)
        authority.cert_pem.write_to_path(new.authority)
        server.private_key_pem.write_to_path(new.key)
        for number, blob in enumerate(server.cert_chain_pems):
            blob.write_to_path(new.certificate, append=number > 0)
        # In a container, the proxy is somebody else than the owner of these files.
        made.chmod(0o755)
        new.key.chmod(0o644)
        shutil.rmtree(folder, ignore_errors=True)  # what is damaged
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other run is at this place in this folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
