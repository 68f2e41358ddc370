import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.router import CreateEmail, PassThrough, Route, UpdateEmail, route, usual

BOUNDED = settings(derandomize=True, max_examples=300)
EMAILS = "/api/v1/activity/email/"
EMAIL = f"{EMAILS}acti_1/"
PASS, CREATE, UPDATE = PassThrough(), CreateEmail(), UpdateEmail("acti_1")

METHODS = [  # method, on the emails, on one of them
    ("POST", CREATE, PASS),
    ("PUT", PASS, UPDATE),
    ("PATCH", PASS, UPDATE),
    ("GET", PASS, PASS),
    ("HEAD", PASS, PASS),
    ("DELETE", PASS, PASS),
    ("OPTIONS", PASS, PASS),
    ("post", PASS, PASS),  # RFC 9110, 9.1: methods are told apart by case
]


@pytest.mark.parametrize(("method", "emails", "email"), METHODS)
def test_the_methods_that_are_looked_into(method: str, emails: Route, email: Route) -> None:
    """What creates an email, and what changes one; with or without the last slash or a query."""
    for end in ("", "?", "?_fields=id", "?/api/v1/me/", "#", "#?x"):
        assert route(method, EMAILS + end) == route(method, EMAILS[:-1] + end) == emails
        assert route(method, EMAIL + end) == route(method, EMAIL[:-1] + end) == email


SPELLINGS = [  # of the emails, up to the last slash
    "/api/v1/activity/email",
    "//api/v1/activity/email",
    "/api//v1///activity////email",
    "/./api/v1/././activity/email/.",
    "/api/v1/lead/../activity/email",
    "/api/v1/activity/email/x/..",
    "/api/v1/activity/email/x//../..",
    "/x/../../../api/v1/activity/email",
    "/../api/v1/activity/email",
    "/api/v1/activity/emailthread/../email",
    "/api/v1/activity/%65mail",
    "/api/v1/activity/%65%6D%61%69%6c",
    "/%61%70%69/%76%31/activity/email",
    "/api/v1/activity%2Femail",
    "/api/v1/activity%2f%2femail",
    "/api/v1/activity/%2e/email",
    "/api/v1/x/%2E%2e/activity/email",
    "/api/v1/x%2F..%2Factivity/email",
    "/%2Fapi/v1/activity/email",
]


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_slips_past(path: str) -> None:
    """Whatever a server on the way may resolve to the emails is taken for them, and so is each of them."""
    for end in ("", "/", "//", "/?x=1", "?x=1", "/#x"):
        assert route("POST", path + end) == CREATE
        assert route("PUT", f"{path}/acti_1{end}") == UPDATE


def test_dots_behind_an_empty_segment_are_read_both_ways() -> None:
    """Some servers drop the empty segment first, some have the dots take it away (RFC 3986, 5.2.4)."""
    assert route("PUT", f"{EMAIL}/..") == UPDATE
    assert route("PUT", f"{EMAIL}x//..") == UPDATE
    assert route("POST", f"{EMAILS}x//..") == CREATE
    assert route("POST", f"{EMAILS}/..") == CREATE


OTHERS = [
    "/",
    "*",
    "",
    "/api/v1/",
    "/api/v1/activity/",
    "/api/v1/activity/emailthread/",
    "/api/v1/activity/emailthread/acti_1/",
    "/api/v1/bulk_action/email/",
    "/api/v1/sequence/",
    "/api/v1/email_template/",
    "/api/v1/emailaccount/",
    "/api/v1/activity/Email/",
    "/api/v1/activity/email/../sms/",
    "/api/v1/activity/email%20/",
    "/api/v1/activity/%2565mail/",
    "/api/v1/activity/e%mail/",
    "/api/v1/activity/%zzemail/",
    "/api/v1/activity/email;x/",
    "/api/v1/activity/email%3Fx/",
    "/api/v2/activity/email/",
    "/v1/activity/email/",
    "/x/api/v1/activity/email/",
    "/api/v1/activity/?/../email/",
    "/?/api/v1/activity/email/",
    "/#/api/v1/activity/email/",
    "/api/v1/activity/email/acti_1/attachment/1/",
    "/api/v1/activity/%ff%fe/",
]


@pytest.mark.parametrize("target", OTHERS)
def test_everything_else_passes_through(target: str) -> None:
    """What only looks like an email has rules of its own, and is not looked into."""
    assert [route(method, target) for method in ("POST", "PUT", "PATCH")] == [PASS, PASS, PASS]


IDS = [
    ("acti_1", "acti_1"),
    ("%61cti_1", "acti_1"),
    ("./acti_1/.", "acti_1"),
    ("other/../acti_1", "acti_1"),
    ("a%20b", "a b"),
    ("..%2e", "..."),
    ("%2565", "%65"),
    ("caf%C3%A9", "café"),
    ("%ff", "\ufffd"),
    ("acti_1;v=1", "acti_1;v=1"),
]


@pytest.mark.parametrize(("written", "email_id"), IDS)
def test_the_id_is_what_the_path_says(written: str, email_id: str) -> None:
    """Decoded once. What cannot be an id is noticed where one is looked up."""
    assert route("PUT", f"{EMAILS}{written}/") == UpdateEmail(email_id)


OVERRIDES = [  # value of X-HTTP-Method-Override, on the emails, on one of them
    (None, CREATE, PASS),
    ("", CREATE, PASS),
    ("POST", CREATE, PASS),
    (" post ", CREATE, PASS),
    ("GET", PASS, PASS),
    ("get", PASS, PASS),
    ("HEAD", CREATE, PASS),
    ("OPTIONS", CREATE, PASS),
    ("DELETE", CREATE, PASS),
    ("PUT", CREATE, UPDATE),
    ("\tput", CREATE, UPDATE),
    ("Patch", CREATE, UPDATE),
    ("BREW", CREATE, PASS),
    ("GET, POST", CREATE, PASS),
    ("\ud800", CREATE, PASS),
]


@pytest.mark.parametrize(("override", "emails", "email"), OVERRIDES)
def test_a_post_may_stand_for_another_method(override: str | None, emails: Route, email: Route) -> None:
    """A documented search (GET) passes. Any other value hides nothing: a server may take no notice of it."""
    assert route("POST", EMAILS, override) == emails
    assert route("POST", EMAIL, override) == email


@pytest.mark.parametrize("override", ["GET", "POST", "DELETE"])
def test_only_a_post_may(override: str) -> None:
    """On any other method the field means nothing."""
    assert route("PUT", EMAIL, override) == route("PATCH", EMAIL, override) == UPDATE
    assert route("GET", EMAILS, override) == PASS


PATHS = st.sampled_from([
    "/api/v1/activity/email/",
    "/api/v1/activity/email/acti_1/",
    "/api/v1/activity/email",
    "/api/v1/activity/emailthread/",
    "/api/v1/activity/",
    "/api/v1/lead/lead_1/",
    "/api/v1/activity/email/acti_1/x/",
])  # fmt: skip
NO_OPS = ["/", "/.", "//", "/././", "/x/..", "/%2e", "/x/%2E%2E", "/%79/../."]


@BOUNDED
@given(PATHS, st.lists(st.tuples(st.integers(0, 8), st.sampled_from(NO_OPS)), max_size=4), st.randoms())
def test_a_spelling_changes_nothing(path: str, no_ops: list[tuple[int, str]], chance: random.Random) -> None:
    """Whatever segments without effect are put in, and whatever letters are percent-encoded, the route is the same."""
    segments = path.split("/")
    for place, no_op in no_ops:
        at = min(place, len(segments) - 1)
        segments[at] += no_op
    spelled = _encoded("/".join(segments), chance)
    for method in ("POST", "PUT", "PATCH", "GET"):
        assert route(method, spelled) == route(method, path), spelled


def _encoded(path: str, chance: random.Random) -> str:
    """Percent-encode some of the letters that are not encoded yet."""
    parts = path.split("%")
    kept = parts[:1] + [part[:2] for part in parts[1:]]
    free = ["", *(part[2:] for part in parts[1:])]
    first = "/" + _some(kept[0][1:], chance)
    return first + "".join(f"%{code}{_some(rest, chance)}" for code, rest in zip(kept[1:], free[1:], strict=True))


def _some(text: str, chance: random.Random) -> str:
    return "".join(f"%{ord(char):02x}" if char.isalnum() and chance.random() < 0.2 else char for char in text)


@BOUNDED
@given(st.text(max_size=40).map(lambda text: "/" + text) | st.text(max_size=40), st.text(max_size=8) | st.none())
def test_routing_is_total(target: str, override: str | None) -> None:
    """Whatever the target, it is something to us."""
    assert isinstance(route("POST", target, override), PassThrough | CreateEmail | UpdateEmail)


@pytest.mark.parametrize("path", SPELLINGS)
def test_every_spelling_has_one_that_is_usual(path: str) -> None:
    """It is that of Close's documentation; what is in an id that means something in a path is coded."""
    for end in ("", "/", "//"):
        assert usual(path + end) == EMAILS
        assert usual(f"{path}/acti_1{end}") == EMAIL
        assert usual(f"{path}/a%253F%3f{end}") == f"{EMAILS}a%253F%3F/"


@pytest.mark.parametrize("path", OTHERS)
def test_other_paths_stay_as_they_are(path: str) -> None:
    """They are nothing to us."""
    assert usual(path) == path


@BOUNDED
@given(st.text(st.sampled_from("/.%aeiu2F53?#é …"), max_size=24), st.sampled_from(["/", EMAILS]))
def test_what_is_usual_is_so_for_itself(path: str, base: str) -> None:
    """Whoever looks for what he was shown finds it."""
    spelled = usual(base + path)
    assert usual(spelled) == spelled
