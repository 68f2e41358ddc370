"""Whether the name of Close's own client in development leads here."""

import asyncio
import socket
import threading

import pytest

from gateway.local_api import name
from gateway.local_api.name import addresses, leads_here

ROWS = [
    ((), False),
    (("127.0.0.1",), True),
    (("::1",), True),
    (("127.0.0.1", "::1"), True),
    (("127.0.0.1", "192.0.2.1"), False),
    (("192.0.2.1",), False),
    (("fe80::1%lo",), False),
]


@pytest.mark.parametrize(("found", "here"), ROWS)
def test_where_the_name_leads(found: tuple[str, ...], *, here: bool) -> None:
    """Each of its addresses has to be of this machine: a client takes any."""
    assert leads_here(found) is here


async def test_the_addresses_of_a_name() -> None:
    """As the system has them, each once; of a name that nobody has, and of one that nobody may have, none."""
    assert await addresses("127.0.0.1") == ("127.0.0.1",)
    assert await addresses("local-api.close.invalid") == ()
    assert await addresses("a" * 300) == ()


async def test_a_system_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it; no answer in time is none."""
    asked = threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        asked.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    monkeypatch.setattr(name, "PATIENCE", 0.05)
    assert await asyncio.wait_for(addresses("local-api.close.com"), 5) == ()
    asked.set()
