from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.store import DEFAULT, StoreKind, StoreLocation

CANARY = "cAnArY"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (":memory:", StoreKind.MEMORY),
        ("rejections.sqlite3", StoreKind.FILE),
        ("/var/lib/a b?c#d.sqlite3", StoreKind.FILE),
        ("postgresql://host/database", StoreKind.SERVER),
        ("postgresql://", StoreKind.SERVER),
        ("postgresql://user@%2Frun%2Fpostgresql/db", StoreKind.SERVER),
    ],
)
def test_what_a_store_is(text: str, kind: StoreKind) -> None:
    """A name with a scheme is a server's, and all others are paths; it is written as it was read."""
    location = StoreLocation.parse(text)
    assert (location.kind, location.reveal(), str(location)) == (kind, text, text)
    assert location == StoreLocation.parse(text)
    assert hash(location) == hash(StoreLocation.parse(text))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:{}@h/d", "postgresql://u:***@h/d"),
        ("postgresql://:{}@h/d", "postgresql://:***@h/d"),
        ("postgresql://u:{}@h1:1,h2:2/d", "postgresql://u:***@h1:1,h2:2/d"),
        ("postgresql://u:{0}:{0}@{0}@h/d", None),
        ("postgresql://u:{0}/{0}@h/d", None),
        ("postgresql://u:{0}?{0}@h/d", None),
        ("postgresql://u:{0}#{0}@h/d", None),
        ("postgresql://h/d?password={}", "postgresql://h/d?password=***"),
        ("postgresql://h/d?a=b&sslPassword={}&c=d", "postgresql://h/d?a=b&sslPassword=***&c=d"),
        ("postgresql://h?p%61ssword={}", None),
        ("postgresql://h:5432/d?sslmode=require", "postgresql://h:5432/d?sslmode=require"),
    ],
)
def test_a_password_is_shown_as_stars(url: str, shown: str | None) -> None:
    """Wherever it stands; one that is not written as a URL has it is not shown either."""
    location = StoreLocation.parse(url.format(CANARY))
    assert CANARY not in str(location) + repr(location)
    assert shown is None or str(location) == shown
    assert location.reveal() == url.format(CANARY)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9))
@example("@")
@example("@h?a=b@")
def test_nothing_behind_the_user_is_shown(inside: str) -> None:
    """However a URL is written: a password with any letters in it is not shown."""
    try:
        location = StoreLocation.parse(f"postgresql://user:{CANARY}{inside}{CANARY}@host/d")
    except ValueError:
        return
    assert CANARY not in str(location)


def test_where_things_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to a store lies beside its file; what belongs to a server's, where the default store would be."""
    monkeypatch.setenv("HOME", "/home/close")
    assert DEFAULT.path == Path("/home/close/.local/state/close-gateway/rejections.sqlite3")
    assert StoreLocation.parse("/srv/a.sqlite3").folder == Path("/srv")
    assert StoreLocation.parse("postgresql://h/d").folder == DEFAULT.path.parent
    assert StoreLocation.parse(":memory:").folder is None
    names = {StoreLocation.parse(text).name for text in ("/srv/a", "/srv/b", "postgresql://h/a", "postgresql://h/b")}
    assert len(names) == 4
    assert StoreLocation.parse("/srv/a").name == StoreLocation.parse("../srv/a").name


def test_a_user_without_a_home() -> None:
    """He is at home in /, where he most likely may not write; no folder is ever called ~."""
    assert StoreLocation.parse("~nobody-of-this-name/.local/a").path == Path("/.local/a")
