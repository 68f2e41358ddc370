"""Parts for the tests of the look-ups: credentials of the sandbox's users, and a client that asks over a pool."""

from base64 import b64encode
from typing import Final

from gateway.exchange import Credentials
from gateway.lookups.breaker import Breaker
from gateway.lookups.client import Kind, LookupClient
from gateway.meters import Meters
from gateway.sandbox import User
from gateway.upstream.pool import Pool

KEY: Final = b"a key of the test's own"
ANYONE: Final = Credentials(b"Basic YW55b25lOg==", KEY)


def basic(user: User) -> Credentials:
    """Give the credentials of who uses an API key."""
    return Credentials(b"Basic " + b64encode(f"{user.api_key}:".encode()), KEY)


def bearer(user: User) -> Credentials:
    """Give the credentials of who uses a token."""
    return Credentials(b"Bearer " + user.access_token.encode(), KEY)


def asker(pool: Pool, *, patience: float = 5.0, failures: int = 100, pause: float = 60.0) -> LookupClient:
    """Make a client of look-ups that gives up a question after `patience` seconds."""
    breakers = {kind: Breaker(failures, pause) for kind in Kind}
    return LookupClient(pool, "close-gateway/test", Meters(), timeout=patience, breakers=breakers)
