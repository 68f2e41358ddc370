"""Reloading: all or nothing, for what comes from then on."""

import asyncio
from pathlib import Path

import pytest

from gateway.downstream import certificate
from tests.certificates import pair_in, trusting
from tests.change.reloading import Reloading, reloading
from tests.collector import collecting
from tests.forwarding.emails import LOGGED, SENDERLESS, write
from tests.raw import LIMIT, connected, with_length
from tests.recording import OK, OWNER, Call, answers, by_path, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
REPORT = '[inspect]\nmode = "report"\n'
SILENT = '[log]\nlevel = "error"\n'
CANARY = "canary-3c1f-canary-3c1f"
BEARER = {"Authorization": f"Bearer {CANARY}"}


async def test_a_kept_connection_sees_the_new_settings(tmp_path: Path) -> None:
    """The client that was refused is let through on the same connection; what changed is answered and logged."""
    async with (
        recording() as upstream,
        reloading(tmp_path, upstream.url) as gateway,
        connected(gateway.port) as client,
    ):
        assert (await client.ask(write(SENDERLESS))).status == 400
        gateway.write(REPORT)
        assert await gateway.reload() == {"changed": {"inspect.mode": "report"}, "needs_restart": []}
        answer = await client.ask(write(SENDERLESS))
        assert (answer.status, answer.values(b"x-close-gateway")) == (200, [b"forwarded; reported=sender_required"])
        (event,) = gateway.running.events("config_reloaded")
        assert (event["changed"], event["needs_restart"]) == ({"inspect.mode": "report"}, [])
        assert gateway.running.counts == {"rejected": 1, "forwarded": 1, "reported": 1}


async def test_a_rule_that_was_watched_is_enforced(tmp_path: Path) -> None:
    """Without a restart: what was reported a moment ago is refused now."""
    email = write(b'{"status": "draft"}')
    async with (
        recording() as upstream,
        reloading(tmp_path, upstream.url) as gateway,
        connected(gateway.port) as client,
    ):
        watched = await client.ask(email)
        assert (watched.status, watched.values(b"x-close-gateway")) == (200, [b"forwarded; reported=lead_id_required"])
        gateway.write('[rules]\nlead_id_required = "enforce"\n')
        assert (await gateway.reload())["changed"] == {"rules.lead_id_required": "enforce"}
        refused = await client.ask(email)
        assert (refused.status, refused.values(b"x-close-gateway")) == (400, [b"rejected; lead_id_required"])


async def test_a_request_in_flight_ends_as_it_began(tmp_path: Path) -> None:
    """A slow answer and a half-sent email, under way while mode and upstream change, are finished by the old ones."""
    changed = asyncio.Event()

    async def slow(call: Call) -> None:
        await call.read_all()
        await changed.wait()
        await call.send(with_length(b"HTTP/1.1 200 OK\r\n", b"slow"))

    email = write(SENDERLESS)
    async with (
        recording(slow) as old,
        recording() as new,
        reloading(tmp_path, old.url) as gateway,
        connected(gateway.port) as waiting,
        connected(gateway.port) as sending,
    ):
        await waiting.send(GET)
        await old.received(1)
        await sending.send(email[:-3])
        await asyncio.sleep(0.05)
        gateway.write(REPORT)
        gateway.flags["upstream.url"] = new.url
        found = await gateway.reload()
        assert found["changed"] == {"upstream.url": new.url, "inspect.mode": "report"}
        assert (await sending.ask(email[-3:])).status == 400
        assert (await sending.ask(GET)).body == b"recorded"
        changed.set()
        assert (await waiting.answer()).body == b"slow"
        assert (await waiting.ask(GET)).body == b"recorded"
        assert (len(old.requests), len(new.requests)) == (1, 2)
        await asyncio.wait_for(old.connections[0].left.wait(), 5)


async def test_a_client_is_who_it_was_when_it_came(tmp_path: Path) -> None:
    """Proxies that are trusted meanwhile are believed from the next request on."""
    email = write(SENDERLESS, b"X-Forwarded-For: 203.0.113.9\r\n")
    async with (
        recording() as upstream,
        reloading(tmp_path, upstream.url) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(email[:-3])
        await asyncio.sleep(0.05)
        gateway.write('[listener]\ntrusted_proxies = ["127.0.0.1"]\n')
        await gateway.reload()
        await client.ask(email[-3:])
        await client.ask(email)
        events = gateway.running.events("request_rejected")
        assert [event["client"] for event in events] == ["127.0.0.1", "203.0.113.9"]


async def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    """Every problem is answered and logged as `config check` tells it, and nothing that was meant well is in force."""
    async with recording() as upstream, reloading(tmp_path, upstream.url) as gateway, connected(gateway.port) as client:
        gateway.write(f'{REPORT}max_body = "8 MiB"\n[admin]\ntoken = "{CANARY} {CANARY}"\n')
        found = await gateway.reload(400)
        assert set(found["field-errors"]) == {"inspect.max_body", "admin.token"}
        (event,) = gateway.running.events("config_rejected")
        assert event["problems"] == found["errors"]
        assert (await client.ask(write(SENDERLESS))).status == 400
        gateway.write("[inspect\n")
        assert "is not valid TOML" in (await gateway.reload(400))["errors"][0]
        assert gateway.running.gateway._reloader.counts == {"rejected": 2}
        assert CANARY.encode() not in gateway.running.written


async def test_what_needs_a_restart_is_named_and_the_rest_applied(tmp_path: Path) -> None:
    """The port stays open where it was; a limit in the same section is in force, on open connections too."""
    async with recording() as upstream, reloading(tmp_path, upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(GET)).status == 200
        gateway.write('[log]\nformat = "console"\nlevel = "error"\n[listener]\nmax_headers = 2\n')
        found = await gateway.reload()
        assert found == {
            "changed": {"listener.max_headers": 2, "log.level": "error"},
            "needs_restart": ["log.format"],
        }
        assert (await client.ask(b"GET /x HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n")).status == 431
        assert gateway.running.events("request_refused") == []  # below the new level
        assert await gateway.reload() == {"changed": {}, "needs_restart": ["log.format"]}


async def test_the_token_changes_with_it(tmp_path: Path) -> None:
    """Who had none before needs it from then on, and the file of the token is read anew each time."""
    file = tmp_path / "token"
    file.write_text(CANARY)
    async with recording() as upstream, reloading(tmp_path, upstream.url) as gateway:
        gateway.write(f'[admin]\ntoken_file = "{file}"\n')
        await gateway.reload()
        await gateway.reload(401)
        file.write_text("another-" + CANARY)
        assert await gateway.reload(headers=BEARER) == {"changed": {}, "needs_restart": []}
        await gateway.reload(401, BEARER)
        assert CANARY.encode() not in gateway.running.written


async def test_another_site_cannot_ask_for_it(tmp_path: Path) -> None:
    """A page elsewhere makes a browser send a POST; where it comes from gives it away."""
    async with recording() as upstream, reloading(tmp_path, upstream.url) as gateway:
        await gateway.reload(403, {"Origin": "http://evil.example"})
        assert gateway.running.events("config_reloaded") == []


async def test_identities_stay_known_while_they_hold(tmp_path: Path) -> None:
    """Close is not asked again on account of a reload, unless what was learnt may be wrong now."""
    script = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
    async with (
        recording(script) as upstream,
        reloading(tmp_path, upstream.url) as gateway,
        connected(gateway.port) as client,
    ):

        async def asked() -> int:
            assert (await client.ask(write(LOGGED))).values(b"x-close-gateway") == [b"filled; sender"]
            return sum(target.startswith(b"/api/v1/me/") for target in upstream.targets)

        assert await asked() == 1
        gateway.write("[upstream]\ntimeout = 9.0\n")
        await gateway.reload()
        assert await asked() == 1
        gateway.write("[identity]\nttl = 9.0\n")
        await gateway.reload()
        assert await asked() == 2


async def test_reloads_come_one_after_the_other(tmp_path: Path) -> None:
    """Of many at once each reads the file in its turn, and the last word is the file's."""
    async with recording() as upstream, reloading(tmp_path, upstream.url) as gateway, connected(gateway.port) as client:
        gateway.write(REPORT)
        found = await asyncio.gather(*(gateway.reload() for _ in range(10)))
        assert [bool(one["changed"]) for one in found].count(True) == 1
        assert (await client.ask(write(SENDERLESS))).status == 200
        assert len(gateway.running.events("config_reloaded")) == 10


async def test_what_is_kept_and_the_mark_change_with_it(tmp_path: Path) -> None:
    """The capture of bodies and the marking of answers are those of the new settings."""
    store = f'[rejections]\nstore = "{tmp_path / "store.sqlite3"}"\n'
    async with (
        recording() as upstream,
        reloading(tmp_path, upstream.url, store) as gateway,
        connected(gateway.port) as client,
    ):
        assert (await client.ask(write(SENDERLESS))).values(b"x-close-gateway") != []
        gateway.write(store + 'capture = "redacted"\nkeep_days = 3\n[answer]\nmark = false\n')
        found = await gateway.reload()
        assert found["changed"] == {"answer.mark": False, "rejections.capture": "redacted", "rejections.keep_days": 3}
        assert (await client.ask(write(SENDERLESS))).values(b"x-close-gateway") == []
        async with asyncio.timeout(10):
            while len(rows := (await gateway.rows())) < 2:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.05)
        assert [row["captured"] is None for row in rows] == [False, True]


async def test_the_level_holds_for_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is below it is not logged any more, though the files are followed as before."""
    monkeypatch.setattr(certificate, "PERIOD", 0.05)
    pair = pair_in(tmp_path / "tls")
    tls = f'[listener]\ntls_certificate = "{pair.certificate}"\ntls_key = "{pair.key}"\n'

    async def shown(gateway: Reloading) -> object:
        async with connected(gateway.port, trusting()) as client:
            return client._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)

    async with recording() as upstream, reloading(tmp_path, upstream.url, tls) as gateway:
        gateway.write(tls + SILENT)
        assert await gateway.reload() == {"changed": {"log.level": "error"}, "needs_restart": []}
        before = await shown(gateway)
        pair.issue()
        async with asyncio.timeout(LIMIT):
            while await shown(gateway) == before:  # noqa: ASYNC110 - it is looked at from time to time
                await asyncio.sleep(0.02)
        assert gateway.running.events("tls_certificate_reloaded") == []


async def test_the_level_holds_for_traces(tmp_path: Path) -> None:
    """Of a collector that takes no spans nothing is told below it."""
    async with recording() as upstream, collecting() as collector:
        collector.status = 400
        traces = f'[traces]\nendpoint = "{collector.endpoint}"\n'
        async with reloading(tmp_path, upstream.url, traces) as gateway:
            gateway.write(traces + SILENT)
            await gateway.reload()
            async with connected(gateway.port) as client:
                assert (await client.ask(write(SENDERLESS))).status == 400
            await gateway.running.stop()
        assert collector.bodies
        assert gateway.running.events("traces_export_failed") == []
