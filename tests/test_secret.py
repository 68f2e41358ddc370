import traceback

from gateway.secret import Secret

TEXT = "k3y-of-the-operator"


def test_a_secret_prints_as_stars() -> None:
    """However it is printed, on its own or inside something."""
    secret = Secret(TEXT)
    assert (str(secret), repr(secret)) == ("***", "Secret(***)")
    assert (f"{secret} {secret!r}", str([secret])) == ("*** Secret(***)", "[Secret(***)]")


def test_a_secret_is_revealed_on_purpose_only() -> None:
    """`reveal` is the one way to the text; what lists an object's values finds none."""
    secret = Secret(TEXT)
    assert secret.reveal() == TEXT
    assert not hasattr(secret, "__dict__")


def test_a_traceback_shows_no_secret() -> None:
    """Not even one that shows the values of the variables."""
    secret = Secret(TEXT)
    try:
        raise ValueError(secret)
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        text = "".join(lines)
    assert "secret = Secret(***)" in text
    assert TEXT not in text


def test_secrets_compare_by_their_text() -> None:
    """So settings that hold them can be compared."""
    assert Secret(TEXT) == Secret(TEXT)
    assert len({Secret(TEXT), Secret(TEXT), Secret("another")}) == 2
    assert Secret(TEXT) != Secret("another")
    assert Secret(TEXT) != TEXT
