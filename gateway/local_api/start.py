"""What has to be there before the gateway listens for Close's own client: a certificate, and the name."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.config.values import Address
from gateway.local_api import LocalApi
from gateway.local_api.name import addresses


async def local_api_at(listen: Sequence[Address], environ: Mapping[str, str]) -> LocalApi:
    """See to both. Raises CertificateNotKept."""
    pair, certificate = await asyncio.to_thread(_kept, environ)
    return LocalApi(listen, pair, certificate, await addresses())


def _kept(environ: Mapping[str, str]) -> tuple[Path, Path]:
    from gateway.local_api.certificate import folder_of, kept  # cryptography is imported where it is used alone

    return kept(folder_of(environ), datetime.now(UTC))
