"""The certificate in force follows its files."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config.tls import CertificateUnusable
from gateway.downstream import certificate as module
from gateway.downstream.certificate import Certificate
from gateway.log import make_log
from tests.certificates import Pair, pair_in, trusting
from tests.gateways import Running, running, until
from tests.raw import Client, connected
from tests.recording import recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


class Followed:
    """A certificate that is looked at when the test says so."""

    def __init__(self, pair: Pair) -> None:
        self._lines = io.BytesIO()
        self.certificate = Certificate(pair.certificate, pair.key, make_log("info", console=False, stream=self._lines))

    def look(self) -> list[str]:
        """Look once, and give the events that came of it."""
        self._lines.seek(0)
        self._lines.truncate()
        before = self.certificate.context
        self.certificate.tell(self.certificate.look())
        events = [json.loads(line)["event"] for line in self._lines.getvalue().splitlines()]
        assert (self.certificate.context is not before) == (events == ["tls_certificate_reloaded"])
        return events


def test_a_pair_that_stays_is_left_alone(tmp_path: Path) -> None:
    """Nothing is read, and nothing told."""
    followed = Followed(pair_in(tmp_path))
    assert followed.look() + followed.look() == []


def test_a_new_pair_is_taken(tmp_path: Path) -> None:
    """Written over the old one."""
    pair = pair_in(tmp_path)
    followed = Followed(pair)
    pair.issue()
    assert [followed.look(), followed.look()] == [["tls_certificate_reloaded"], []]


def test_a_link_that_is_bent_to_another_folder(tmp_path: Path) -> None:
    """So Kubernetes changes a secret: the files are links through a link, and that one is replaced."""
    pair_in(tmp_path / "one")
    pair_in(tmp_path / "two")
    data, new = tmp_path / "..data", tmp_path / "..new"
    data.symlink_to("one")
    shown = Pair(tmp_path)
    shown.certificate.symlink_to("..data/tls.crt")
    shown.key.symlink_to("..data/tls.key")
    followed = Followed(shown)
    new.symlink_to("two")
    new.rename(data)
    assert [followed.look(), followed.look()] == [["tls_certificate_reloaded"], []]


def test_a_pair_that_comes_one_by_one(tmp_path: Path) -> None:
    """Between the two the key is not the certificate's: nothing is told of that, and the whole is taken."""
    pair, next_one = pair_in(tmp_path / "a"), pair_in(tmp_path / "b")
    followed = Followed(pair)
    next_one.certificate.rename(pair.certificate)
    assert followed.look() == []
    next_one.key.rename(pair.key)
    assert followed.look() == ["tls_certificate_reloaded"]


@pytest.mark.parametrize("broken", ["certificate", "key", "gone"])
def test_a_broken_pair_is_told_once(tmp_path: Path, broken: str) -> None:
    """The old one stays in force. What mends it is taken, and another break is told again."""
    pair = pair_in(tmp_path)
    followed = Followed(pair)

    def spoil() -> None:
        if broken == "gone":
            pair.key.unlink()
        else:
            (pair.certificate if broken == "certificate" else pair.key).write_text("canary")

    for _ in range(2):
        spoil()
        assert [followed.look() for _ in range(4)] == [[], ["tls_certificate_unusable"], [], []]
        pair.issue()
        assert followed.look() == ["tls_certificate_reloaded"]


def test_a_pair_that_was_never_there(tmp_path: Path) -> None:
    """The gateway does not start without one, and says which setting is at fault."""
    with pytest.raises(CertificateUnusable, match=r"^listener\.tls_certificate names a file that cannot be read: "):
        Followed(Pair(tmp_path))


async def _shown(gateway: Running) -> Any:
    async with connected(gateway.port, trusting()) as client:
        return _certificate_of(client)


def _certificate_of(client: Client) -> Any:
    return client._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


async def test_connections_go_on_while_the_certificate_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is connected notices nothing; who connects after the change is shown the new one."""
    monkeypatch.setattr(module, "PERIOD", 0.05)
    pair = pair_in(tmp_path)
    async with recording() as upstream, running(upstream.url, listener=pair.listener()) as gateway:
        async with connected(gateway.port, trusting()) as client:
            await client.ask(GET)
            pair.issue()
            await until(lambda: bool(gateway.events("tls_certificate_reloaded")))
            assert await _shown(gateway) != _certificate_of(client)
            assert (await client.ask(GET)).status == 200
        assert len(gateway.events("tls_certificate_reloaded")) == 1


async def test_large_bodies_on_the_loop_of_python_itself(tmp_path: Path) -> None:
    """Where there is no uvloop, asyncio's TLS does: a body up, and it comes whole."""
    pair, body = pair_in(tmp_path), bytes(range(256)) * 8192
    request = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with recording() as upstream, running(upstream.url, listener=pair.listener()) as gateway:
        async with connected(gateway.port, trusting()) as client:
            for _ in range(2):
                assert (await client.ask(request)).body == b"recorded"
        assert [received.body for received in upstream.requests] == [body] * 2
