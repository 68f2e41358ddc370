"""The certificate that clients are shown, and its key: read from their files, and what can be wrong with them.

Rule    TLS 1.2 at least, HTTP/1.1 alone, and no renegotiation: it costs a server more than the client that asks for it.
Source  RFC 8996; RFC 7301; RFC 7525, 3.5.
"""

import ssl
from pathlib import Path
from typing import ClassVar, Final

from gateway.errors import GatewayError

CERTIFICATE: Final = "listener.tls_certificate"
KEY: Final = "listener.tls_key"
# The last is what OpenSSL says to a key of another type: it looks for a certificate of that one's.
NO_MATCH: Final = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})


class CertificateUnusable(GatewayError):
    """The pair cannot be used. `setting` names the file at fault; `what` goes on after "names a file that"."""

    code: ClassVar[str] = "tls_certificate_unusable"

    def __init__(self, setting: str, what: str, fix: str) -> None:
        super().__init__(f"{setting} names a file that {what}. {fix}")
        self.setting = setting
        self.what = what
        self.fix = fix


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make what serves TLS with this pair. Reads files. Raises CertificateUnusable."""
    for setting, file in ((CERTIFICATE, certificate), (KEY, key)):
        _readable(setting, file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise _told(error, certificate) from None
    except OSError as error:
        raise _unreadable(KEY, error) from None  # it was there a moment ago
    return context


def _readable(setting: str, file: Path) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise _unreadable(setting, error) from None


def _unreadable(setting: str, error: OSError) -> CertificateUnusable:
    reason = (error.strerror or "no reason is given").lower()
    fix = "Name a file that the gateway's user may read, or take both settings out."
    return CertificateUnusable(setting, f"cannot be read: {reason}", fix)


def _told(error: ssl.SSLError, certificate: Path) -> CertificateUnusable:
    """Say which of the two is at fault. OpenSSL has a name for it at best."""
    if error.reason in NO_MATCH:
        fix = "Name the key of the first certificate in listener.tls_certificate; its chain comes behind it."
        return CertificateUnusable(KEY, "holds a key that is not the certificate's", fix)
    if not _holds_certificate(certificate):
        fix = "Name a file in PEM: the server's certificate first, then its chain."
        return CertificateUnusable(CERTIFICATE, "holds no certificate in PEM", fix)
    if (error.reason or "").startswith(("EE_", "CA_")):  # too weak for OpenSSL's security level
        what = f"holds what OpenSSL refuses: {error.reason.lower().replace('_', ' ')}"
        return CertificateUnusable(CERTIFICATE, what, "Have a stronger one issued.")
    fix = "Name a file with the certificate's key in PEM, without a passphrase."
    return CertificateUnusable(KEY, "holds no private key in PEM that can be read", fix)


def _holds_certificate(file: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError:  # SSLError is one too
        return False
    return True
