"""Identities remembered: for a while, up to a number, the least recently used forgotten first."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever stands behind a key or a user id, as far as a sender is concerned."""

    email: str


Key: TypeAlias = tuple[bytes, str | None]
"""The digest of the credential that asked, and the user asked for; None: the credential's own user.

The credential is part of every key: what one organization was told is never another's to see.
"""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Close was asked and did not tell, for this reason."""

    reason: str


class IdentityCache:
    """Remembers identities for `ttl` seconds each, and that one is unknown for `pause`; `max_entries` in all."""

    def __init__(self, ttl: float, max_entries: int, pause: float) -> None:
        self._ttl = ttl
        self._pause = pause
        self._max_entries = max_entries
        self._entries: OrderedDict[Key, tuple[float, Identity | Unknown]] = OrderedDict()
        self._by_credential: dict[bytes, set[Key]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now: float) -> Identity | Unknown | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, identity = entry
        if now >= expires:
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return identity

    def put(self, key: Key, identity: Identity | Unknown, now: float, most: float = math.inf) -> None:
        """Remember this, for `most` seconds at most."""
        lasts = self._ttl if isinstance(identity, Identity) else min(self._ttl, self._pause)
        self._entries[key] = (now + min(lasts, most), identity)
        self._entries.move_to_end(key)
        self._by_credential.setdefault(key[0], set()).add(key)
        while len(self._entries) > self._max_entries:
            self._remove(next(iter(self._entries)))

    def forget(self, credential: bytes) -> list[Key]:
        """Drop all that was learnt on this credential, and tell what that was."""
        keys = list(self._by_credential.get(credential, ()))
        for key in keys:
            self._remove(key)
        return keys

    def _remove(self, key: Key) -> None:
        del self._entries[key]
        of_credential = self._by_credential[key[0]]
        of_credential.discard(key)
        if not of_credential:
            del self._by_credential[key[0]]
