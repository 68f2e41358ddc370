"""TLS to the upstream: its certificate is verified, for its name and against the authorities that are trusted."""

import json
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from gateway.config.settings import UpstreamSettings
from tests.forwarding.emails import LOGGED, write
from tests.gateways import running
from tests.raw import ask, chunked, with_length
from tests.recording import OK, OWNER, Recording, Script, answers, by_path, closes, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
AUTHORITY = trustme.CA()


def certified(name: str, authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """Make what a server of this name shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def trusting(tmp_path: Path) -> UpstreamSettings:
    """Trust our authority."""
    file = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    return UpstreamSettings(ca_file=file)


def named(upstream: Recording) -> str:
    """Give the URL by which the upstream has a name: an address alone is not indicated to a server."""
    return upstream.url.replace("127.0.0.1", "localhost")


async def test_an_authority_of_ones_own_can_be_trusted(trusting: UpstreamSettings) -> None:
    """upstream.ca_file; requests and look-ups go over TLS alike, and over the same connection."""
    script = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
    async with (
        recording(script, tls=certified("localhost")) as upstream,
        running(named(upstream), upstream=trusting) as gateway,
    ):
        assert (await ask(gateway.port, GET)).body == b"recorded"
        assert (await ask(gateway.port, write(LOGGED))).values(b"x-close-gateway") == [b"filled; sender"]
        assert upstream.requests[0].head == b"GET /x HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % upstream.port
        assert len(upstream.connections) == 1


async def test_the_server_is_told_which_name_is_meant(trusting: UpstreamSettings) -> None:
    """RFC 6066, 3: a server of many names shows the right certificate. HTTP/1.1 is what is spoken (RFC 7301)."""
    told: list[str | None] = []
    context = certified("localhost")
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda _, name, __: told.append(name)
    async with recording(tls=context) as upstream, running(named(upstream), upstream=trusting) as gateway:
        assert (await ask(gateway.port, GET)).status == 200
        assert told == ["localhost"]
        tls = upstream.connections[0].writer.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == "http/1.1"
        assert tls.version() >= "TLSv1.2"


async def test_an_address_can_be_certified_too(trusting: UpstreamSettings) -> None:
    """RFC 9110, 4.3.5."""
    async with (
        recording(tls=certified("127.0.0.1")) as upstream,
        running(upstream.url, upstream=trusting) as gateway,
    ):
        assert (await ask(gateway.port, GET)).status == 200


UNTRUSTED = {
    "an authority unknown": (certified("localhost", trustme.CA()), "its certificate is not trusted"),
    "another name": (certified("other.example"), "Hostname mismatch"),
    "an address": (certified("127.0.0.1"), "Hostname mismatch"),
}


@pytest.mark.parametrize(("context", "reason"), UNTRUSTED.values(), ids=UNTRUSTED)
async def test_a_server_that_is_not_trusted_gets_nothing(
    trusting: UpstreamSettings, context: ssl.SSLContext, reason: str
) -> None:
    """502 with a reason to work with; no request is shown to whoever that is."""
    async with recording(tls=context) as upstream, running(named(upstream), upstream=trusting) as gateway:
        answer = await ask(gateway.port, GET)
        told = json.loads(answer.body)
        assert (answer.status, told["gateway"]["code"]) == (502, "upstream_unreachable")
        assert reason in told["errors"][0]
        assert gateway.events("upstream_failed")[0]["reason"] == told["errors"][0]
        assert upstream.requests == []


async def test_without_the_file_our_authority_is_a_stranger() -> None:
    """Nothing is trusted but what the system trusts."""
    async with recording(tls=certified("localhost")) as upstream, running(named(upstream)) as gateway:
        answer = await ask(gateway.port, GET)
        assert answer.status == 502
        assert "unable to get local issuer certificate" in json.loads(answer.body)["errors"][0]


async def test_a_server_that_speaks_no_tls(trusting: UpstreamSettings) -> None:
    """502: a request is never sent in the clear where TLS was asked for."""
    hasty = replace(trusting, connect_timeout=0.2)
    async with recording() as upstream:
        async with running(named(upstream).replace("http:", "https:"), upstream=hasty) as gateway:
            assert (await ask(gateway.port, GET)).status == 502
        assert upstream.requests == []


LARGE = bytes(range(256)) * 4096

ANSWERS = {
    "length": answers(with_length(b"HTTP/1.1 200 OK\r\n", LARGE)),
    "chunked": answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(LARGE)),
    "until close": closes(b"HTTP/1.1 200 OK\r\n\r\n" + LARGE),
}


@pytest.mark.parametrize("script", ANSWERS.values(), ids=ANSWERS)
async def test_bodies_over_tls(trusting: UpstreamSettings, script: Script) -> None:
    """They come through whole, both ways."""
    request = with_length(b"POST /x HTTP/1.1\r\nHost: a\r\n", LARGE)
    async with (
        recording(script, tls=certified("localhost")) as upstream,
        running(named(upstream), upstream=trusting) as gateway,
    ):
        assert (await ask(gateway.port, request)).body == LARGE
        assert upstream.requests[0].body == LARGE
