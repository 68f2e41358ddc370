from pathlib import Path

from gateway.config.fingerprint import NAME, fingerprint_key
from gateway.config.settings import IdentitySettings, RejectionsSettings, Settings
from gateway.config.store import StoreLocation
from gateway.secret import Secret


def at(store: str | None, key: str | None = None) -> Settings:
    """Make settings with this store and key."""
    return Settings(
        identity=IdentitySettings(fingerprint_key=None if key is None else Secret(key)),
        rejections=RejectionsSettings(store=None if store is None else StoreLocation.parse(store)),
    )


def test_beside_a_file_one_key_serves_for_good(tmp_path: Path) -> None:
    """A restart gives no sender a second name; nobody but the gateway's user may read it."""
    store = str(tmp_path / "new" / "rejections.sqlite3")
    key = fingerprint_key(at(store))
    assert (len(key), fingerprint_key(at(store))) == (32, key)
    kept = tmp_path / "new" / NAME
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (key, 0o600)
    assert [file.name for file in kept.parent.iterdir()] == [NAME]


def test_a_key_that_is_given_counts(tmp_path: Path) -> None:
    """The same on every gateway that has it, and nothing is written."""
    store = str(tmp_path / "rejections.sqlite3")
    key = "sixteen characters or more" * 10
    assert fingerprint_key(at(store, key)) == fingerprint_key(at(None, key))
    assert len(fingerprint_key(at(store, key))) == 64
    assert list(tmp_path.iterdir()) == []


def test_where_none_can_be_kept_each_start_has_its_own(tmp_path: Path) -> None:
    """In memory, without a store, below a file, or where a file is not what the gateway wrote: it runs all the same."""
    below = tmp_path / "file"
    below.write_text("no folder")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / NAME).write_bytes(b"short")
    for store in (None, ":memory:", str(below / "rejections.sqlite3"), str(damaged / "rejections.sqlite3")):
        one, other = fingerprint_key(at(store)), fingerprint_key(at(store))
        assert (len(one), one == other) == (32, False)
