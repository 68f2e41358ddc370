import base64
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.redaction import STARS, Redaction

KEY = "key_of_somebody"
BASIC = base64.b64encode(f"{KEY}:".encode())
FIELDS = [(b"Authorization", b"Basic " + BASIC)]

TARGETS = [
    ("/api/v1/me/", "/api/v1/me/"),
    ("/api/v1/lead/?query=a+b&_limit=1", "/api/v1/lead/?query=a+b&_limit=1"),
    ("/x?api_key=abc&q=1", "/x?api_key=***&q=1"),
    ("/x?q=1&access%5Ftoken=abc;Password=x", "/x?q=1&access%5Ftoken=***;Password=***"),
    ("/oauth2/authorize?code=abc&state=1", "/oauth2/authorize?code=***&state=1"),
    ("/callback#access_token=abc&state=1", "/callback#access_token=***&state=1"),
    ("/callback?a=1#id_token=abc", "/callback?a=1#id_token=***"),
    ("/api/v1/me/?key", "/api/v1/me/?key"),
    (
        "/x?to=https%3A%2F%2Fu%3Ap%40x.org%2F&a=https%3A%2F%2Fx.org",
        "/x?to=https%3A%2F%2F***%40x.org%2F&a=https%3A%2F%2Fx.org",
    ),
    (f"/x/{KEY}/", "/x/***/"),
    ("/x/api_2kd9AbCdEfGhIjKl.0Zz9/", "/x/***/"),
    ("/api/v1/api_key/", "/api/v1/api_key/"),
]


@pytest.mark.parametrize(("target", "expected"), TARGETS)
def test_a_target(target: str, expected: str) -> None:
    """What is a secret by its name, is the request's own key, or looks like one of Close's."""
    assert Redaction(FIELDS).target(target) == expected


HEADERS = [
    ("Authorization", "Bearer abc", STARS),
    ("Proxy-Authorization", "x", STARS),
    ("Cookie", "a=b", STARS),
    ("set-cookie", "a=b", STARS),
    ("X-Api-Key", "abc", STARS),
    ("X-Auth-Token", "abc", STARS),
    ("Content-Type", "application/json", "application/json"),
    ("Referer", f"https://x/{KEY}", "https://x/***"),
]


@pytest.mark.parametrize(("name", "value", "expected"), HEADERS)
def test_a_field(name: str, value: str, expected: str) -> None:
    """Those that carry credentials lose all of their value."""
    assert Redaction(FIELDS).field(name, value) == expected


QUOTED = 'x\\"'
FORM = "application/x-www-form-urlencoded; charset=utf-8"
BODIES = [
    ('{"api_key": "a\\"b", "status": "sent"}', "application/json", '{"api_key": "***", "status": "sent"}'),
    ('{"signature_key" :\n"abc", "code": "x"}', "", '{"signature_key" :\n"***", "code": "x"}'),
    ('{"a": 1, "refresh_token": "cut sho', "application/json", '{"a": 1, "refresh_token": "***"'),
    ("a=token&refresh_token=abc&client_secret=x", FORM, "a=token&refresh_token=***&client_secret=***"),
    (f'{{"note": "{KEY}"}}', "application/json", '{"note": "***"}'),
    (f"see {BASIC.decode()}", "text/plain", "see ***"),
    ('{"url": "https://u:p@ss:1@x.org/a@b"}', "application/json", '{"url": "https://***@x.org/a@b"}'),
    (r'{"url": "https:\/\/u:p@x.org"}', "application/json", r'{"url": "https:\/\/***@x.org"}'),
    (
        "<a href='http://u@x.org/'>https://x.org <me@x.org>",
        "text/html",
        "<a href='http://***@x.org/'>https://x.org <me@x.org>",
    ),
    (
        "see https://x.org, or ask me@x.org; https://x.org/@me",
        "text/plain",
        "see https://x.org, or ask me@x.org; https://x.org/@me",
    ),
]


@pytest.mark.parametrize(("text", "mime", "expected"), BODIES)
def test_a_body(text: str, mime: str, expected: str) -> None:
    """Members and parameters, of a body that was cut short too."""
    assert Redaction(FIELDS).body(text, mime) == expected


def test_a_long_body_takes_little_more_memory_than_its_own() -> None:
    """A recording reads texts of some megabytes beside the gateway."""
    text = f'{{"body_html": "{"x" * 1_000_000}", "quoted": "{QUOTED * 100_000}", "token": "abc"}}'
    tracemalloc.start()
    try:
        written = Redaction().body(text, "application/json")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written == text.replace("abc", STARS)
    assert peak < 10 * len(text)


VALUES = [
    ("token", "abc", STARS),
    ("url", "redis://:p@x/0", "redis://***@x/0"),
    ("note", f"a {KEY} b", "a *** b"),
    (None, KEY, STARS),
    ("note", "a", "a"),
]


@pytest.mark.parametrize(("name", "text", "expected"), VALUES)
def test_a_value(name: str | None, text: str, expected: str) -> None:
    """By its name, or by what it is."""
    assert Redaction(FIELDS).value(name, text) == expected


LETTERS = st.characters(codec="ascii", exclude_categories=["C"], exclude_characters=' ":*')
SECRETS = st.text(LETTERS, min_size=6, max_size=40)
AROUND = st.text(max_size=30)


@given(SECRETS, AROUND, AROUND, st.sampled_from(["Basic", "Bearer"]))
def test_no_credential_of_the_request_survives(secret: str, before: str, after: str, scheme: str) -> None:
    """Wherever in a text it stands, coded as it was sent or not."""
    coded = base64.b64encode(f"{secret}:".encode()).decode()
    sent = coded if scheme == "Basic" else secret
    redaction = Redaction([(b"authorization", f"{scheme} {sent}".encode())])
    text = redaction.text(f"{before}{secret}{after}{sent}")
    assert secret not in text
    assert sent not in text


@pytest.mark.parametrize("value", [b"", b"Basic", b"Basic !!", b"Basic YTo=", b"\xff\xfe", b"Bearer x"])
def test_whatever_stands_in_the_authorization(value: bytes) -> None:
    """It is nothing, or too short to be looked for; and stops nobody."""
    assert Redaction([(b"Authorization", value)]).text("a: x YTo=") == "a: x YTo="
