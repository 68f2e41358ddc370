"""Envoy's messages, read and made."""

from typing import Any

import pytest
from google.protobuf import struct_pb2

from gateway.answer import OwnAnswer
from gateway.extproc import messages
from gateway.extproc.held import Answered
from tests.extproc.asking import on_answer, on_head


def attributes(source: str) -> dict[str, Any]:
    """Tell of a client, as the attribute that is asked for does."""
    told = struct_pb2.Struct()
    told["source.address"] = source
    return {"envoy.filters.http.ext_proc": told}


PEERS = [  # what Envoy tells of the client, who asks, who that is
    ({}, "ipv4:10.0.0.5:40000", "10.0.0.5"),
    ({}, "ipv6:%5B2001:db8::5%5D:40000", "2001:db8::5"),
    ({}, "unix:", "unix"),
    ({}, "", "unknown"),
    (attributes("192.0.2.1:1234"), "ipv4:10.0.0.5:40000", "192.0.2.1"),
    (attributes("[2001:db8::1]:1234"), "unix:", "2001:db8::1"),
    (attributes(""), "unix:", "unknown"),
    (attributes("/run/clients.sock"), "unix:", "unknown"),
    (attributes("192.0.2.1\nforged:1234"), "unix:", "unknown"),
]


@pytest.mark.parametrize(("told", "asker", "peer"), PEERS)
def test_who_the_client_is(told: dict[str, Any], asker: str, peer: str) -> None:
    """Envoy's word for it; without one, Envoy itself, of which trusted_proxies may say that it is a proxy."""
    assert messages.peer(told, asker) == peer


def test_a_head_is_read() -> None:
    """The pseudo-fields are what HTTP/1 has in its first line and in Host."""
    fields = {":method": "PUT", ":path": "/a?b", ":scheme": "https", ":authority": "api.close.com", "x-a": "caf\xe9"}
    assert messages.head(on_head(fields).request_headers) == (
        *("PUT", "/a?b", "https"),
        [(b"x-a", "caf\xe9".encode()), (b"host", b"api.close.com")],
    )


@pytest.mark.parametrize("value", ["a\r\nGET /api/v1/me/ HTTP/1.1", "a\n", "a\rb", "\0"])
def test_a_head_that_holds_another_line_is_none(value: str) -> None:
    """Behind it a request of the client's own making would go to Close, between those of others."""
    with pytest.raises(messages.NotFromEnvoy):
        messages.head(on_head({":method": "POST", "authorization": value}).request_headers)


def test_a_status_is_read() -> None:
    """An answer without one is no answer."""
    assert messages.status(on_answer(204).response_headers) == 204
    for fields in ({}, {":status": "abc"}, {":status": "9" * 5000}):
        with pytest.raises(messages.NotFromEnvoy):
            messages.status(on_head(fields).request_headers)


def test_an_answer_of_the_gateways_own() -> None:
    """Its JSON, its type, and the fields that came with it."""
    answer = Answered(OwnAnswer(400, {"errors": []}), b"X-Request-Id: r-1\r\nX-Close-Gateway: a; b\r\n")
    told = messages.answered(answer).immediate_response
    fields = [(option.header.key, option.header.raw_value) for option in told.headers.set_headers]
    assert (told.status.code, told.body, told.details) == (400, b'{"errors":[]}', "close_gateway")
    assert fields == [
        ("content-type", b"application/json"),
        ("x-request-id", b"r-1"),
        ("x-close-gateway", b"a; b"),
    ]
