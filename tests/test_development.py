import io

from gateway.development import _say


def test_what_is_said_at_the_start_is_said_in_any_encoding() -> None:
    """A name in a seed may have letters that the terminal's encoding lacks."""
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding="ascii") as stream:
        _say("api_luk_key  Łukasz\n", stream)
        assert written.getvalue() == b"api_luk_key  \\u0141ukasz\n"
