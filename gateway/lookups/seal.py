"""What stands in a shared cache: names that tell nothing, and values that only gateways with the secret can have made.

Rule    A name is a keyed hash of the credential's digest and the user asked for. Who reads the cache learns neither,
        nor which names belong to one credential.
Rule    A value is JSON behind a tag, a keyed hash of its name and of itself. What has not the right tag is nothing:
        garbage, a value of a gateway with another secret, or one that was moved to another name.
Rule    A value tells until when it counts, so that nobody's keeping it makes it count longer. Clocks of gateways
        differ by little; by what they do, it counts longer or shorter.
Source  RFC 7693, 2.9: with a key, BLAKE2 is a message authentication code.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.lookups.cache import Identity, Key, Unknown
from gateway.policy.sender import SenderState, sender_state

PREFIX: Final = "close-gateway:1:"
"""Begins every name. The number is the format's: gateways of another one do not meet here."""
MAX_VALUE: Final = 1024
"""Bytes of a value. An address has 254 at most (RFC 5321, 4.5.3.1)."""
TAG: Final = 32
"""Bytes of a tag as it is written, in hexadecimal digits."""
REASON: Final = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a gateway was told, and for how many seconds yet it counts."""

    outcome: Identity | Unknown
    lasts: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """A gateway is asking Close just now."""


class Seal:
    """Names and values of the gateways that have this secret, at most 64 bytes, and this upstream."""

    def __init__(self, secret: bytes, upstream: str) -> None:
        # Keys of their own, so that nothing which is hashed elsewhere with the secret can be taken for a name or a tag.
        self._naming = hashlib.blake2b(upstream.encode(), key=secret, person=b"cache names").digest()
        self._tagging = hashlib.blake2b(upstream.encode(), key=secret, person=b"cache tags").digest()

    def name(self, key: Key) -> str:
        """Name what is known of this user under this credential."""
        digest, user_id = key
        user = b"" if user_id is None else b"\0" + user_id.encode()  # a digest is of one length
        return PREFIX + hashlib.blake2b(digest + user, key=self._naming, digest_size=24).hexdigest()

    def value(self, name: str, outcome: Identity | Unknown, until: float) -> bytes | None:
        """Make the value that tells this until then, in seconds since the epoch; None where it is beyond all sense."""
        told = {"email": outcome.email} if isinstance(outcome, Identity) else {"unknown": outcome.reason}
        value = self._sealed(name, orjson.dumps({**told, "until": until}))
        return value if len(value) <= MAX_VALUE else None

    def claim(self, name: str, token: str) -> bytes:
        """Make the value that says that a gateway is asking."""
        return self._sealed(name, orjson.dumps({"claim": token}))

    def read(self, name: str, value: bytes, now: float) -> Shared | Claimed | None:
        """Tell what a value says, whoever wrote it; None: nothing, or no more."""
        tag, told = value[:TAG], value[TAG:]
        if len(value) > MAX_VALUE or not hmac.compare_digest(tag, self._tag(name, told)):
            return None
        try:
            read: object = orjson.loads(told)
        except orjson.JSONDecodeError:
            return None
        return _understood(read, now) if isinstance(read, dict) else None

    def _sealed(self, name: str, told: bytes) -> bytes:
        return self._tag(name, told) + told

    def _tag(self, name: str, told: bytes) -> bytes:
        tag = hashlib.blake2b(name.encode() + b"\0" + told, key=self._tagging, digest_size=TAG // 2)
        return tag.hexdigest().encode()


def _understood(told: dict[str, Any], now: float) -> Shared | Claimed | None:
    """Read what a gateway wrote, be it one of another version."""
    match told:
        case {"claim": str()}:
            return Claimed()
        case {"email": str(email), "until": float() | int() as until} if sender_state(email) is SenderState.USABLE:
            outcome: Identity | Unknown = Identity(email)
        case {"unknown": str(reason), "until": float() | int() as until} if REASON.fullmatch(reason):
            outcome = Unknown(reason)
        case _:
            return None
    return Shared(outcome, until - now) if now < until else None
