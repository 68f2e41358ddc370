"""Certificates for a test, of an authority of its own, as files that a gateway is given."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme

from gateway.config.settings import ListenerSettings

AUTHORITY: Final = trustme.CA()


@dataclass(frozen=True)
class Pair:
    """A certificate for localhost and its key, in a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    def issue(self) -> None:
        """Write a new pair over what is there."""
        made = AUTHORITY.issue_cert("localhost")
        made.private_key_pem.write_to_path(self.key)
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))

    def listener(self, **given: Any) -> ListenerSettings:
        """Have the gateway show it."""
        return ListenerSettings(tls_certificate=self.certificate, tls_key=self.key, **given)


def pair_in(folder: Path) -> Pair:
    """Issue a pair."""
    folder.mkdir(exist_ok=True)
    pair = Pair(folder)
    pair.issue()
    return pair


def trusting() -> ssl.SSLContext:
    """Make what a client trusts our authority with."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
