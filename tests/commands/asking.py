"""The commands over a store, and over a gateway that has it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from click.testing import CliRunner, Result

from gateway.cli import main
from tests.admin.asking import Admin

STORE: Final = "CLOSE_GATEWAY_REJECTIONS__STORE"


def asked(
    *arguments: str, store: Path | str | None = None, columns: int = 80, environment: Mapping[str, str] | None = None
) -> Result:
    """Run `close-gateway rejections` in this process, over the store."""
    given = {"COLUMNS": str(columns), "CLOSE_GATEWAY_CONFIG": "", STORE: None if store is None else str(store)}
    return CliRunner().invoke(main, ["rejections", *arguments], env={**given, **(environment or {})})


async def asked_of(admin: Admin, *arguments: str, **environment: str) -> Result:
    """Run it over the gateway, which goes on meanwhile."""
    return await asyncio.to_thread(lambda: asked(*arguments, "--admin", admin.url, environment=environment))
