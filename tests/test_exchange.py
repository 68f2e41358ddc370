import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange import MAX_TEXT, Credentials, printable
from gateway.router import CreateEmail, route
from tests.exchanges import KEY, exchange_of

BOUNDED = settings(derandomize=True, max_examples=300)


def get(*fields: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    """Write a request with these fields."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return b"POST %b HTTP/%b\r\nHost: a\r\nContent-Length: 0\r\n%b\r\n" % (target, version, lines)


SANE_IDS = [b"r-1", b"0", b"A" * 128, b"550e8400-e29b-41d4-a716-446655440000", b"a.b_c:d/e+f=g@h-i", b" spaced "]
OTHER_IDS = [
    b"",
    b"A" * 129,
    b"-r",
    b"_r",
    b"a b",
    b'a"b',
    b"a\tb",
    b"caf\xe9",
    b"caf\xc3\xa9",
    b"\xe2\x80\xaeturned",
    b"<script>",
    b"a,b",
    b"{}",
    b"%0d%0aX: 1",
]


@pytest.mark.parametrize("given_id", SANE_IDS)
def test_a_sane_id_of_the_clients_is_kept(given_id: bytes) -> None:
    """So its own logs and ours tell of the same request by the same name."""
    assert exchange_of(get(b"X-Request-Id: " + given_id)).id == given_id.strip().decode()


@pytest.mark.parametrize("given_id", OTHER_IDS)
def test_any_other_id_is_replaced(given_id: bytes) -> None:
    """An id stands in headers, logs and JSON: what could break one of them is not taken."""
    new = exchange_of(get(b"X-Request-Id: " + given_id)).id
    assert len(new) == 32
    assert int(new, 16) >= 0


def test_an_id_stays_and_belongs_to_one_request() -> None:
    """Asked twice, an exchange gives the same id; another exchange has another."""
    exchange = exchange_of(get())
    assert exchange.id == exchange.id
    assert exchange.id != exchange_of(get()).id


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), None),
        ((b"Authorization: Basic YTo=",), b"Basic YTo="),
        ((b"aUTHORIZATION: Bearer x",), b"Bearer x"),
        ((b"Authorization: caf\xe9",), b"caf\xe9"),
        ((b"Authorization:",), b""),
        ((b"Authorization: Basic YTo=", b"Authorization: Basic YTo="), None),
        ((b"Authorization: Basic YTo=", b"authorization: Bearer x"), None),
        ((b"Proxy-Authorization: Basic YTo=",), None),
    ],
)
def test_credentials_are_what_one_authorization_says(fields: tuple[bytes, ...], expected: bytes | None) -> None:
    """To the byte, since Close is asked with it; of several, whose request it is would be a guess."""
    credentials = exchange_of(get(*fields)).credentials
    assert (credentials.reveal() if credentials else None) == expected


def fingerprint(value: bytes, key: bytes = KEY) -> str:
    """Tell the fingerprint of an Authorization."""
    return Credentials(value, key).fingerprint


@pytest.mark.parametrize("same", [b"basic YTo=", b"BASIC YTo=", b"Basic   YTo=", b" Basic YTo= "])
def test_one_credential_has_one_fingerprint(same: bytes) -> None:
    """RFC 9110, 11.1: the scheme's case means nothing; nor do blanks."""
    assert Credentials(same, KEY).digest == Credentials(b"Basic YTo=", KEY).digest
    assert fingerprint(same) == fingerprint(b"Basic YTo=")


def test_different_credentials_have_different_fingerprints() -> None:
    """The case of a key means something, and so does the scheme. Another gateway's key gives other ones."""
    values = [b"Basic YTo=", b"Basic yto=", b"Bearer YTo=", b"BasicYTo=", b"Basic YTo", b"", b"Basic"]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint(b"Basic YTo=") != fingerprint(b"Basic YTo=", b"another key")


def test_a_credential_prints_as_its_fingerprint() -> None:
    """No traceback or log shows it by chance."""
    credentials = Credentials(b"Basic c2VjcmV0", KEY)
    expected = f"Credentials({fingerprint(b'Basic c2VjcmV0')})"
    assert (repr(credentials), str(credentials)) == (expected, expected)
    assert not hasattr(credentials, "__dict__")


@pytest.mark.parametrize(
    ("target", "expected", "path"),
    [
        (b"/", "/", "/"),
        (b"/a//b/../c/?x=%20&y", "/a//b/../c/?x=%20&y", "/a//b/../c/"),
        (b"/%ff%0a", "/%ff%0a", "/%ff%0a"),
        (b"/?token=secret", "/?token=secret", "/"),
        (b"http://api.close.com/a?b", "/a?b", "/a"),
        (b"http://api.close.com", "/", "/"),
        (b"http://api.close.com?b", "/?b", "/"),
        (b"https://user@api.close.com:443//a", "//a", "//a"),
        (b"/" + b"a" * 1000 + b"?b", "/" + "a" * 1000 + "?b", "/" + "a" * 254 + "…"),
    ],
)
def test_the_target_is_the_one_that_was_sent(target: bytes, expected: str, path: str) -> None:
    """As it came, but for an authority (RFC 9112, 3.2.2); events tell its path alone, cut short."""
    exchange = exchange_of(get(target=target))
    assert (exchange.target, exchange.path) == (expected, path)


@pytest.mark.parametrize(
    "target",
    [
        b"http://api.close.com/api/v1/activity/email/",
        b"HTTPS://api.close.com:443/api/v1/activity/%65mail",
        b"http://other.example//api/v1/./activity/email/?x=http://y/",
    ],
)
def test_an_absolute_target_is_judged_like_any_other(target: bytes) -> None:
    """RFC 9112, 3.2.2: every server takes the absolute-form, so it is no way past the rules."""
    assert route("POST", exchange_of(get(target=target)).target) == CreateEmail()


def told(request: bytes) -> tuple[str, str, str | None]:
    """Tell what is known of a request's client."""
    exchange = exchange_of(request)
    return exchange.method, exchange.client, exchange.user_agent


def test_what_is_told_of_a_client() -> None:
    """Its address and what it calls itself, fit for an event."""
    assert told(get(b"User-Agent: Close/2.1 python")) == ("POST", "127.0.0.1", "Close/2.1 python")
    assert told(get(b"User-Agent: \xe2\x80\xa8" + b"x" * 300)) == ("POST", "127.0.0.1", "\ufffd" + "x" * 254 + "…")
    assert told(get()) == ("POST", "127.0.0.1", None)


def test_the_fields_of_a_name_are_all_found() -> None:
    """Whatever their case, in their order, as bytes."""
    request = get(b"X-A: 1", b"x-a: caf\xe9", b"X-AB: no", b"X-a:")
    assert exchange_of(request).values(b"x-a") == [b"1", b"caf\xe9", b""]


@pytest.mark.parametrize(
    ("request_", "draining", "expected"),
    [
        (get(), False, True),
        (get(b"Connection: close"), False, False),
        (get(version=b"1.0"), False, False),
        (get(b"Connection: keep-alive", version=b"1.0"), False, True),
        (get(), True, False),
    ],
)
def test_a_connection_is_kept_unless_someone_ends_it(request_: bytes, *, draining: bool, expected: bool) -> None:
    """The client by asking for it, or the gateway when it is about to stop."""
    assert exchange_of(request_, draining=draining).keep_alive is expected


def test_time_passes() -> None:
    """Milliseconds since the head was read, never running backwards."""
    exchange = exchange_of(get())
    assert 0 <= exchange.elapsed_ms() <= exchange.elapsed_ms()


TEXTS = [
    ("", ""),
    ("Jane Roe", "Jane Roe"),
    ("Ünsal 用户 😀", "Ünsal 用户 😀"),
    ("one\ntwo\r\n", "one\ufffdtwo\ufffd\ufffd"),
    ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
    ("a\0b\x7fc\x85d\u2028e\u202ef\u200bg", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg"),
    ("\ud800x\udcff", "\ufffdx\ufffd"),
    ("a" * 256, "a" * 256),
    ("a" * 257, "a" * 255 + "…"),
    ("\n" * 100_000, "\ufffd" * 255 + "…"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_from_outside_is_made_harmless(text: str, expected: str) -> None:
    """Bounded, and unable to break a line, forge one, colour it or turn it round."""
    assert printable(text) == expected


@BOUNDED
@given(st.text(st.characters()))
def test_whatever_the_text_it_is_bounded_printable_and_can_be_written(text: str) -> None:
    """Whatever comes, one line comes of it that every log can hold; and a harmless text stays as it is."""
    shown = printable(text)
    assert len(shown) <= MAX_TEXT
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert printable(shown) == shown
    if text.isprintable() and len(text) <= MAX_TEXT:
        assert shown == text
