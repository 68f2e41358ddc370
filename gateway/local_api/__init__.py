"""Where Close's own client goes with development=True, and what it takes to be there.

Source  closeio_api 2.1, `Client`: https://local-api.close.com:5001/api/v1/, its certificate unverified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.values import Address

NAME: Final = "local-api.close.com"
PORT: Final = 5001
LISTEN: Final = (Address("127.0.0.1", PORT), Address("::1", PORT))
"""The name may lead to either. Where there is no IPv6, the first alone."""


@dataclass(frozen=True, slots=True)
class LocalApi:
    """What the gateway has for it."""

    listen: Sequence[Address]
    pair: Path
    """Key and certificate."""
    certificate: Path
    """The certificate alone: what other clients are told to trust."""
    found: tuple[str, ...]
    """The addresses that the name has on this machine."""
