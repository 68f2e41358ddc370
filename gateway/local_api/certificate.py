"""A certificate for local-api.close.com that the gateway makes itself, and keeps from one run to the next.

Rule    The key is for its owner's eyes alone, from the first moment on. It stands in one file with its certificate,
        which is replaced whole: nobody reads half of one pair and half of another. Of gateways that start at once, one
        makes it. A pair that ends soon or cannot be used, for whatever reason, is made anew.
Source  RFC 5280, 4.2.1; CA/Browser Forum, Baseline Requirements, 6.3.2: 398 days at most. What verifies strictly
        (Python 3.13, VERIFY_X509_STRICT) wants the key identifiers too.
"""

import ipaddress
import os
import stat
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.config.sources import TLS_FOLDER_VARIABLE
from gateway.errors import GatewayError
from gateway.local_api import NAME
from gateway.sockets import alone

NAMES: Final = x509.SubjectAlternativeName(
    [
        x509.DNSName(NAME),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
)
LASTS: Final = timedelta(days=397)
RENEWED: Final = timedelta(days=30)
"""Before its end."""
SLACK: Final = timedelta(hours=1)
"""By which the clock of a client may be behind."""
LARGEST: Final = 65_536
"""Bytes that are read of what is kept."""
PAIR: Final = "local-api.pem"
CERTIFICATE: Final = "local-api.crt"
NOT_OURS: Final = stat.S_IRWXG | stat.S_IRWXO


class CertificateNotKept(GatewayError):
    """There is nowhere to keep it."""

    code: ClassVar[str] = "certificate_not_kept"

    def __init__(self, folder: Path, error: OSError) -> None:
        reason = (error.strerror or "no reason is given").lower()
        super().__init__(
            f"The certificate for {NAME} cannot be kept in {folder}: {reason}. Name a folder that you may write to "
            f"with {TLS_FOLDER_VARIABLE}."
        )


def folder_of(environ: Mapping[str, str]) -> Path:
    """Tell where it is kept: where the environment says, or with the rest that a gateway keeps."""
    if given := environ.get(TLS_FOLDER_VARIABLE):
        return Path(given).absolute()
    state = environ.get("XDG_STATE_HOME", "")
    # XDG Base Directory Specification: a path that is not absolute counts as none. Who has no home is at home in /.
    home = Path(state) if state.startswith("/") else Path(environ.get("HOME") or "/") / ".local" / "state"
    return home / "close-gateway" / "local-api"


def kept(folder: Path, now: datetime) -> tuple[Path, Path]:
    """Give the file of the pair and that of the certificate alone, made where need be. Raises CertificateNotKept."""
    pair, certificate = folder / PAIR, folder / CERTIFICATE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(folder):
            shown = _usable(pair, now)
            if shown is None:
                key, shown = _made(now)
                _replace(pair, key + shown, 0o600)
            if _read(certificate) != shown:
                _replace(certificate, shown, 0o644)
    except OSError as error:
        raise CertificateNotKept(folder, error) from None
    return pair, certificate


def _usable(pair: Path, now: datetime) -> bytes | None:
    """Give the certificate, in PEM, where it can go on being used."""
    blob = _read(pair)
    if blob is None or pair.stat().st_mode & NOT_OURS:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(blob)
        key = serialization.load_pem_private_key(blob, None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return None
    current = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED
    if current and names == NAMES and key.public_key() == certificate.public_key():
        return certificate.public_bytes(serialization.Encoding.PEM)
    return None


def _read(file: Path) -> bytes | None:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return None
        with file.open("rb") as opened:
            return opened.read(LARGEST)
    except OSError:
        return None


def _made(now: datetime) -> tuple[bytes, bytes]:
    """Make a key and a certificate for it, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Close Gateway"),
            x509.NameAttribute(NameOID.COMMON_NAME, NAME),
        ]
    )
    public = key.public_key()
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now - SLACK + LASTS)
        .add_extension(NAMES, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, encipher_only=False, decipher_only=False, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    return (
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


def _replace(file: Path, blob: bytes, mode: int) -> None:
    """Write a file whole, or not at all."""
    descriptor, new = tempfile.mkstemp(prefix=f"{file.name}-", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as made:
            made.write(blob)
        Path(new).chmod(mode)
        Path(new).replace(file)
    except OSError:
        Path(new).unlink(missing_ok=True)
        raise
