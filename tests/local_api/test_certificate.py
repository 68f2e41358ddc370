"""The certificate for Close's own client: made once, kept, and made anew where it cannot go on."""

import ssl
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config.tls import server_context
from gateway.local_api.certificate import LASTS, RENEWED, SLACK, CertificateNotKept, folder_of, kept

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NAMES = ["local-api.close.com", "localhost", "127.0.0.1", "::1"]

FOLDERS = [
    ({"HOME": "/home/jane"}, "/home/jane/.local/state/close-gateway/local-api"),
    ({"HOME": "/home/jane", "XDG_STATE_HOME": "/state"}, "/state/close-gateway/local-api"),
    ({"HOME": "/home/jane", "XDG_STATE_HOME": "state"}, "/home/jane/.local/state/close-gateway/local-api"),
    ({}, "/.local/state/close-gateway/local-api"),
    ({"CLOSE_GATEWAY_TLS_FOLDER": "/keys", "XDG_STATE_HOME": "/state"}, "/keys"),
]


@pytest.mark.parametrize(("environ", "folder"), FOLDERS)
def test_where_it_is_kept(environ: dict[str, str], folder: str) -> None:
    """With the rest that a gateway keeps, unless the environment says otherwise."""
    assert folder_of(environ) == Path(folder)


def shake(context: ssl.SSLContext, trusted: Path, name: str) -> str | None:
    """Shake hands in memory with a client that verifies strictly; give the version of TLS."""
    trusting = ssl.create_default_context(cafile=str(trusted))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(down, up, server_hostname=name)
    server = context.wrap_bio(up, down, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.version()


def test_who_trusts_it_is_let_in_by_each_name(tmp_path: Path) -> None:
    """The file of the certificate alone is enough to verify it, by the strictest rules that Python has."""
    pair, certificate = kept(tmp_path / "new" / "folder", datetime.now(UTC))
    context = server_context(pair, pair)
    assert {name: shake(context, certificate, name) for name in NAMES} == dict.fromkeys(NAMES, "TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake(context, certificate, "api.close.com")


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """So are the folder, and the file that others are given holds no key."""
    pair, certificate = kept(tmp_path / "folder", NOW)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (pair.parent, pair, certificate)]
    assert modes == [0o700, 0o600, 0o644]
    assert (b"PRIVATE" in pair.read_bytes(), b"PRIVATE" in certificate.read_bytes()) == (True, False)
    assert sorted(each.name for each in pair.parent.iterdir()) == ["local-api.crt", "local-api.pem"]


AGES = [
    (timedelta(), True),
    (LASTS - RENEWED - SLACK - timedelta(seconds=1), True),
    (LASTS - RENEWED - SLACK, False),
    (LASTS * 2, False),
    (-SLACK, True),
    (-SLACK - timedelta(seconds=1), False),
]


@pytest.mark.parametrize(("later", "same"), AGES)
def test_it_is_the_same_until_its_end_is_near(tmp_path: Path, later: timedelta, *, same: bool) -> None:
    """Whoever trusts it does so once a year; a clock that was set back makes a new one too."""
    pair, certificate = kept(tmp_path, NOW)
    before = (pair.read_bytes(), certificate.read_bytes())
    assert kept(tmp_path, NOW + later) == (pair, certificate)
    assert ((pair.read_bytes(), certificate.read_bytes()) == before) is same


def _of_another(pair: Path) -> None:
    other = pair.parent / "other"
    key = kept(other, NOW)[0].read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    certificate = b"-----BEGIN CERTIFICATE" + pair.read_bytes().partition(b"-----BEGIN CERTIFICATE")[2]
    pair.write_bytes(key + certificate)


def _bent(pair: Path) -> None:
    pair.unlink()
    pair.symlink_to("nowhere")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda pair: pair.write_bytes(b""),
    "cut off": lambda pair: pair.write_bytes(pair.read_bytes()[:-200]),
    "no key": lambda pair: pair.write_bytes(pair.with_suffix(".crt").read_bytes()),
    "the key of another": _of_another,
    "no text": lambda pair: pair.write_bytes(bytes(range(256))),
    "huge": lambda pair: pair.write_bytes(b"-" * 100_000 + pair.read_bytes()),
    "read by others": lambda pair: pair.chmod(0o644),
    "gone": lambda pair: pair.unlink(),
    "a link to nowhere": _bent,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_cannot_be_used_is_made_anew(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """It can be served with again, by a key that nobody else has seen; and is kept from then on."""
    pair, certificate = kept(tmp_path, NOW)
    before = pair.read_bytes()
    damage(pair)
    kept(tmp_path, NOW)
    made = pair.read_bytes()
    assert made != before
    assert made.endswith(certificate.read_bytes())
    assert stat.S_IMODE(pair.stat().st_mode) == 0o600
    server_context(pair, pair)
    kept(tmp_path, NOW)
    assert pair.read_bytes() == made


def test_the_certificate_alone_follows_the_pair(tmp_path: Path) -> None:
    """Whatever has become of it, it is what is shown."""
    pair, certificate = kept(tmp_path, NOW)
    before = pair.read_bytes()
    certificate.write_text("something else")
    kept(tmp_path, NOW)
    assert pair.read_bytes() == before
    assert before.endswith(certificate.read_bytes())


def test_of_several_that_start_at_once_one_makes_it(tmp_path: Path) -> None:
    """All of them show the same. The lock is one of each file that was opened, so threads stand in for processes."""
    with ThreadPoolExecutor(8) as threads:
        shown = list(threads.map(lambda _: kept(tmp_path / "folder", NOW)[0].read_bytes(), range(8)))
    assert len(set(shown)) == 1


def test_nowhere_to_keep_it(tmp_path: Path) -> None:
    """The folder is named, and what names another."""
    (tmp_path / "file").touch()
    with pytest.raises(CertificateNotKept) as told:
        kept(tmp_path / "file" / "folder", NOW)
    assert str(told.value) == (
        f"The certificate for local-api.close.com cannot be kept in {tmp_path}/file/folder: not a directory. "
        "Name a folder that you may write to with CLOSE_GATEWAY_TLS_FOLDER."
    )
