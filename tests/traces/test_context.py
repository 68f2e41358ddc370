"""W3C Trace Context, as clients send it, in whatever state."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.settings import TracesSettings
from gateway.log import make_log
from gateway.traces import Traces
from tests.exchanges import exchange_of
from tests.forwarding.emails import DRAFT, write

GOOD: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LINES: Final = re.compile(
    rb"traceparent: 00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-0[0-3]\r\n(tracestate: [\x20-\x7e]{1,512}\r\n)?"
)
TEXT: Final = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=80)


@pytest.fixture(scope="module")
def traces() -> Iterator[Traces]:
    """Traces of which none is ever sent."""
    nowhere = TracesSettings(endpoint="http://127.0.0.1:1/v1/traces", sample=0.0)
    traces = Traces(nowhere, make_log("error", console=False))
    yield traces
    traces._provider.shutdown()


def handed_on(traces: Traces, fields: str) -> bytes:
    """Give the lines that go up where a client sends these."""
    exchange = exchange_of(write(DRAFT, fields.encode("latin-1")))
    exchange.kind = "create_email"
    return traces.towards("https://[::1]:8443")(exchange).forwarded()


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        GOOD.upper(),
        GOOD + "-more",
        "ff" + GOOD[2:],
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        f"{GOOD}\r\ntraceparent: {GOOD}",
    ],
)
def test_what_is_no_parent_begins_a_new_trace(traces: Traces, parent: str) -> None:
    """And the state that belonged to it does not go on."""
    lines = handed_on(traces, f"traceparent: {parent}\r\ntracestate: a=1\r\n")
    found = LINES.fullmatch(lines)
    assert found is not None
    assert found[1] != GOOD[3:35].encode()
    assert b"tracestate" not in lines


def test_a_later_version_is_read_as_far_as_it_is_known(traces: Traces) -> None:
    """W3C Trace Context, 3.2: what follows the flags is for later."""
    assert b"0af7651916cd43dd8448eb211c80319c" in handed_on(
        traces, f"traceparent: cc{GOOD[2:]}-what-the-future-holds\r\n"
    )


def test_states_are_joined(traces: Traces) -> None:
    """RFC 9110, 5.3: several fields are one list."""
    lines = handed_on(traces, f"traceparent: {GOOD}\r\ntracestate: a=1\r\ntracestate: b=2\r\n")
    assert lines.endswith(b"\r\ntracestate: a=1,b=2\r\n")


@settings(max_examples=60)
@given(st.just(GOOD) | TEXT, TEXT | st.lists(st.sampled_from(["a=1", "b=~", "a@b=2", "", " c = 3", "d"])).map(",".join))
def test_whatever_comes_what_goes_up_is_well_formed(traces: Traces, parent: str, state: str) -> None:
    """One traceparent, perhaps one tracestate, and never another line."""
    assert LINES.fullmatch(handed_on(traces, f"traceparent: {parent}\r\ntracestate: {state}\r\n"))
