"""What config/envoy/envoy.yaml promises beside verdicts: the way to Close, the log, and what Envoy says itself."""

import ssl
from pathlib import Path
from typing import Final

import pytest

from gateway.extproc.server import front
from tests.certificates import AUTHORITY
from tests.envoys import Configuration, configuration, envoy
from tests.forwarding.emails import DRAFT, LOGGED, SENDERLESS, write
from tests.gateways import running, until
from tests.raw import ask, connected, values
from tests.recording import OK, OWNER, answers, by_path, recording

LIMIT: Final = 1000
GET: Final = b"GET /api/v1/me/?secret=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: r-0\r\n\r\n"


def serving(name: str) -> ssl.SSLContext:
    """Make what serves TLS under a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


def trusting(configured: Configuration, folder: Path) -> Configuration:
    """Have Envoy trust our authority in the place of the system's."""
    file = folder / "authorities.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    close = configured["static_resources"]["clusters"][0]
    context = close["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    context["trusted_ca"]["filename"] = str(file)
    return configured


@pytest.mark.parametrize(("name", "status"), [("api.close.com", 200), ("api.example.com", 502)])
async def test_close_has_to_be_close(tmp_path: Path, name: str, status: int) -> None:
    """Its name is asked for, and has to be in a certificate that is trusted. Else 502, which no client tries again."""
    asked: list[str] = []
    context = serving(name)
    context.sni_callback = lambda _, wanted, __: asked.append(wanted)
    async with recording(tls=context) as upstream, running(upstream.url, front=front(LIMIT)) as gateway:
        configured = trusting(configuration(upstream.url, gateway.gateway.listen), tmp_path)
        async with envoy(configured) as proxy:
            assert (await ask(proxy.port, write(DRAFT))).status == status
        assert set(asked) == {"api.close.com"}
        hosts = [values(request.head, b"host") for request in upstream.requests]
        assert hosts == ([[b"api.close.com"]] if status == 200 else [])


async def test_close_is_told_nothing_of_the_client_but_what_it_tells_itself() -> None:
    """What goes up of a request that is no email write: its own fields, and an id."""
    async with recording() as upstream, running(upstream.url, front=front(LIMIT)) as gateway:
        async with envoy(configuration(upstream.url, gateway.gateway.listen)) as proxy:
            await ask(proxy.port, GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"))
        assert upstream.requests[0].head == (
            b"GET /api/v1/me/?secret=1 HTTP/1.1\r\nhost: api.close.com\r\n"
            b"x-request-id: r-0\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
        )


async def test_a_connection_goes_on_after_a_refusal() -> None:
    """Envoy closes none for a 400 of the gateway's."""
    async with (
        recording() as upstream,
        running(upstream.url, front=front(LIMIT)) as gateway,
        envoy(configuration(upstream.url, gateway.gateway.listen)) as proxy,
        connected(proxy.port) as client,
    ):
        for request, status in ((write(SENDERLESS), 400), (GET, 200), (write(SENDERLESS), 400)):
            assert (await client.ask(request)).status == status


async def test_the_log_has_the_verdict() -> None:
    """One line for each request, with the id that the gateway logs; no query, and nothing of an email."""
    script = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
    async with (
        recording(script) as upstream,
        running(upstream.url, front=front(LIMIT)) as gateway,
        envoy(configuration(upstream.url, gateway.gateway.listen)) as proxy,
    ):
        await ask(proxy.port, GET)
        for number, body in enumerate((DRAFT, LOGGED, SENDERLESS), start=1):
            await ask(proxy.port, write(body, b"X-Request-Id: r-%d\r\n" % number))
        await until(lambda: len(proxy.log) == 4)
        names = ("request_id", "method", "path", "status", "verdict", "client")
        assert [tuple(line[name] for name in names) for line in proxy.log] == [
            ("r-0", "GET", "/api/v1/me/", 200, None, "127.0.0.1"),
            ("r-1", "POST", "/api/v1/activity/email/", 200, "forwarded", "127.0.0.1"),
            ("r-2", "POST", "/api/v1/activity/email/", 200, "filled; sender", "127.0.0.1"),
            ("r-3", "POST", "/api/v1/activity/email/", 400, "rejected; sender_required", "127.0.0.1"),
        ]
        assert proxy.log[3]["details"] == "close_gateway"
