"""What a developer reads of events, told as the log tells them."""

from typing import Any

import pytest

from gateway.live.sentences import in_words

STOPPING = {"event": "gateway_stopping", "grace": 30.0}
STOPPED = {"event": "gateway_stopped", "cut_off": 0, "counts": {}}
RELOADED: dict[str, Any] = {"event": "config_reloaded", "changed": {}, "needs_restart": ()}
UNSHAKEN = {"event": "tls_handshake_failed", "client": "::1"}
RECORDED = {"event": "recorded", "file": "a.har", "requests": 1}

ROWS: list[tuple[dict[str, Any], tuple[str, str] | None]] = [
    (STOPPING | {"in_flight": 0}, ("", "Stopping.")),
    (
        STOPPING | {"in_flight": 1},
        ("", "Stopping: it waits up to 30 s for 1 request. Ctrl-C again ends it at once."),
    ),
    (
        STOPPING | {"in_flight": 1200, "grace": 0.5},
        ("", "Stopping: it waits up to 0.5 s for 1,200 requests. Ctrl-C again ends it at once."),
    ),
    (STOPPED, ("", "The gateway has stopped.")),
    (
        STOPPED | {"cut_off": 2, "counts": {"forwarded": 3, "rejected": 1, "filled": 0}},
        ("", "The gateway has stopped and cut off 2 requests. Email writes: 1 rejected, 3 forwarded."),
    ),
    (RELOADED, ("", "The configuration was read anew: nothing changes.")),
    (
        RELOADED | {"changed": {"a.b": "c", "d": 1}, "needs_restart": ("x", "y")},
        (
            "",
            "The configuration was read anew: a.b = c, d = 1. Until a restart stays as it was: x, y.",
        ),
    ),
    (
        {"event": "config_rejected", "problems": ["a is no number. Give one.", "b is no name."]},
        (
            "",
            "The configuration is not taken, and what was in force stays. a is no number. Give one. b is no name.",
        ),
    ),
    (
        UNSHAKEN | {"reason": "http request"},
        ("", "Plain HTTP came from ::1 to a port that speaks TLS: use https:// there."),
    ),
    (
        UNSHAKEN | {"reason": "tlsv1 alert unknown ca"},
        ("", "A client at ::1 does not trust the gateway's certificate (tlsv1 alert unknown ca)."),
    ),
    (
        UNSHAKEN | {"reason": "no shared cipher"},
        ("", "A client at ::1 and the gateway did not agree on TLS: no shared cipher."),
    ),
    (
        {"event": "body_oversized", "limit": 9, "action": "forward"},
        (
            "body_oversized",
            "Its body is larger than the 9 bytes that are looked into (setting inspect.max_body): no rule was applied.",
        ),
    ),
    (RECORDED, ("", "Recorded 1 request to a.har.")),
    (RECORDED | {"requests": 2, "lost": 3}, ("", "Recorded 2 requests to a.har. 3 could not be kept.")),
    (
        {"event": "recording_failed", "file": "a.har", "reason": "No space left on device"},
        ("", "a.har may lack what comes from here on: No space left on device."),
    ),
    (
        {"event": "upstream_failed", "code": "upstream_unreachable", "reason": "There is no way to it."},
        ("upstream_unreachable", "There is no way to it."),
    ),
    (
        UNSHAKEN | {"reason": "\x1b"},
        ("", "A client at ::1 and the gateway did not agree on TLS: \N{REPLACEMENT CHARACTER}."),
    ),
    ({"event": "identity_cache_down", "reason": "x", "outcome": "y"}, None),
]


@pytest.mark.parametrize(("told", "expected"), ROWS)
def test_a_sentence(told: dict[str, Any], expected: tuple[str, str] | None) -> None:
    """What happened, and what it means for whoever develops; what nobody has a sentence for stays as it is."""
    assert in_words(told) == expected
