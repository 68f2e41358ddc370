"""What is to go wrong with this request?

Rule    `X-Sandbox-Fault` on a request has it fail in a way that Close may: an error, a limit, no answer, a connection
        that breaks, or one that takes long. A request that fails so does nothing; a slow one is answered as ever.
Rule    Nothing lasts longer than five minutes, and nothing outlasts the sandbox or its client.
"""

import asyncio
import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.sandbox.refusal import invalid

FIELD: Final = "X-Sandbox-Fault"
LONGEST: Final = 300.0
"""Seconds that an answer may be slow; a timeout lasts as long, unless the client gives up before."""
UNITS: Final = {"ms": 0.001, "s": 1.0}
STATUSES: Final = {str(status): status for status in (500, 502, 503, 429)}
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER, on and without a wait: the other side sees a reset, no end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Wait, then answer with an error, break off, or where neither is asked for, go on as ever."""

    pause: float = 0.0
    status: int | None = None
    breaks: bool = False


def fault_of(text: str | None) -> Fault:
    """Read the header field. No field is no fault."""
    text = (text or "").strip().lower()
    if not text:
        return Fault()
    if text in STATUSES:
        return Fault(status=STATUSES[text])
    if text == "timeout":
        return Fault(pause=LONGEST, breaks=True)
    if text == "reset":
        return Fault(breaks=True)
    if found := re.fullmatch(r"slow=([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)", text):
        pause = float(found[1]) * UNITS[found[2]]
        if pause <= LONGEST:
            return Fault(pause=pause)
    known = ", ".join([*STATUSES, "timeout", "reset"])
    raise invalid(f"{FIELD} knows {known}, and slow=2s or slow=200ms, up to slow={LONGEST:.0f}s.")


async def lasts(pause: float, stopping: asyncio.Event) -> bool:
    """Wait; say whether the sandbox still runs then."""
    if pause:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
    return not stopping.is_set()


def break_off(request: web.Request) -> None:
    """Reset the connection. Whatever is answered then goes nowhere."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
