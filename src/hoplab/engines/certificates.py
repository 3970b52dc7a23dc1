"""The proxies' certificate, made on first use by an authority that exists for that moment only."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import trustme

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


def ensure(folder: Path) -> Certificates:
    """Give the certificates in `folder`; make them if there are none.

    They appear all at once, so that two runs at the same time can't mix theirs.
    """
    certificates = Certificates(folder)
    if all(
        p.exists() for p in (certificates.authority, certificates.certificate, certificates.key)
    ):
        return certificates
    folder.parent.mkdir(parents=True, exist_ok=True)
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
        if folder.is_dir() and not all(p.exists() for p in folder.iterdir()):
            shutil.rmtree(folder)
        try:
            made.rename(folder)
        except OSError:
            if not certificates.key.exists():  # not another run's, which came first
                for file in made.iterdir():
                    os.replace(file, folder / file.name)  # noqa: PTH105 - overwrites
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return certificates
