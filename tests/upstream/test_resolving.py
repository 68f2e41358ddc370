import asyncio
import socket
import threading
from typing import Any

import pytest

from gateway.upstream import resolving
from gateway.upstream.resolving import Resolving


@pytest.mark.parametrize(
    ("host", "known"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("no-such.invalid", False), ("a..b", False)],
)
async def test_a_name_resolves_or_not(host: str, known: bool) -> None:  # noqa: FBT001 - a table
    """Addresses do without asking anybody; RFC 6761 has .invalid resolve nowhere."""
    assert await Resolving().resolves(host) is known


async def test_another_name_is_another_question() -> None:
    """A reload may have changed the upstream."""
    one = Resolving()
    assert await one.resolves("127.0.0.1")
    assert not await one.resolves("no-such.invalid")


async def test_one_question_serves_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes come from all sides, and a resolver that hangs must not hold a thread for each; it counts as a no."""
    let_go, asked = threading.Event(), []

    def hangs(*given: Any, **_: Any) -> list[Any]:
        asked.append(given)
        let_go.wait(10)
        return [given]

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr(resolving, "PATIENCE", 0.05)
    one = Resolving()
    # asyncio's loop asks by socket.getaddrinfo; uvloop by libuv's.
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", lambda *given: asyncio.to_thread(hangs, *given), raising=False)
    assert await asyncio.gather(*(one.resolves("close.example") for _ in range(10))) == [False] * 10
    assert len(asked) == 1
    let_go.set()


async def test_a_question_about_the_name_before_answers_nothing_about_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload changes the upstream while the system is still being asked about the one before."""
    let_go = asyncio.Event()

    async def knows_only_the_old(host: str, _: object) -> list[object]:
        if host != "old.example":
            return []
        await let_go.wait()
        return [host]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", knows_only_the_old, raising=False)
    one = Resolving()
    before = asyncio.create_task(one.resolves("old.example"))
    await asyncio.sleep(0)
    after = asyncio.create_task(one.resolves("new.example"))
    await asyncio.sleep(0)
    let_go.set()
    assert (await before, await after) == (True, False)
