"""Runs what a developer needs: a gateway that shows what comes, in front of a sandbox; or the sandbox alone."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gateway.app import Gateway
from gateway.config.settings import Address, LogFormat, Settings
from gateway.errors import PortTaken
from gateway.front import Beside
from gateway.hangups import Hangups
from gateway.live.live import Live
from gateway.local_api.start import local_api_at
from gateway.process import Ending, the_log
from gateway.serving import PROXY, proxy_beside
from gateway.welcome import welcome, welcome_to_sandbox

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox


async def dev(
    settings: Settings,
    load: Callable[[], Settings],
    hangups: Hangups,
    *,
    close: "Sandbox | None",
    local_api: Sequence[Address] | None,
    quiet: bool,
    record: Path | None,
) -> None:
    """Run a gateway for a developer, in front of this sandbox, or of the upstream in the settings.

    It listens at `local_api` too, for Close's own client. What comes is shown as it comes, unless the log is to be
    JSON; `quiet`: email writes alone. `record`: it is kept there too. Raises PortTaken, PortsTaken, CertificateNotKept
    and Unrecordable.
    """
    ending = Ending()
    lines = the_log(settings) if settings.log.format is LogFormat.JSON else None
    live = Live(settings.log.level.value, lines, record, quiet=quiet)
    local = None if local_api is None else await local_api_at(local_api, os.environ)
    if close is not None:
        await close.start()

    def in_front(settings: Settings) -> Settings:
        return settings if close is None else replace(settings, upstream=replace(settings.upstream, url=close.url))

    settings = in_front(settings)
    beside = None if local is None else Beside(local.listen, local.pair, "--tls-listen")
    front = PROXY if beside is None else proxy_beside(beside)
    gateway = Gateway(settings, live.log, lambda: in_front(load()), live.witness, front)
    try:
        await gateway.start()
        hangups.hand_over(gateway.hang_up)
        if local is not None and beside is not None and beside.address is not None:
            local = replace(local, listen=(beside.address,))
        text = welcome(gateway.reach, gateway.admin, settings.upstream.url, close, local, live.records)
        if lines is None:
            _say(f"{text}\n")  # what comes is shown below it
        else:
            _say(text, sys.stderr)  # between lines of JSON it would break them
        await ending.wait()
        await gateway.stop()
    finally:
        if close is not None:
            await close.stop()
        live.close()


async def sandbox(listen: Address, close: "Sandbox") -> None:
    """Run a sandbox alone until SIGINT or SIGTERM. Raises PortTaken."""
    ending = Ending()
    try:
        await close.start(listen.host, listen.port)
    except OSError as error:
        raise PortTaken(None, "--listen", str(listen), error) from None
    _say(welcome_to_sandbox(close))
    await ending.wait()
    await close.stop()


def _say(text: str, stream: TextIO = sys.stdout) -> None:
    stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
    stream.flush()
