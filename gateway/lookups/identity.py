"""Who stands behind this credential, or this user_id?

Rule    Each answer is remembered for a while under the credential that asked. Requests that need the same answer at
        the same time share one question, and none of them leaving takes it from the others.
"""

import asyncio
from time import monotonic

from gateway.exchange import Credentials
from gateway.lookups import client
from gateway.lookups.cache import Identity, IdentityCache, Key, Unknown
from gateway.lookups.client import Kind, LookupClient, LookupFailed
from gateway.meters import Meters
from gateway.policy.sender import SenderState, sender_state


class Identities:
    """Resolves credentials and user ids to identities."""

    def __init__(self, lookups: LookupClient, cache: IdentityCache, meters: Meters) -> None:
        self._lookups = lookups
        self._cache = cache
        self._meters = meters
        self._asked: dict[Key, asyncio.Task[Identity]] = {}

    @property
    def asking(self) -> int:
        """How many questions are under way."""
        return len(self._asked)

    def known(self, credentials: Credentials, user_id: str | None) -> Identity | None:
        """Tell the user's identity where it is known already, and for None the credential's owner's.

        Raises LookupFailed where Close has said lately that it does not tell.
        """
        known = self._cache.get((credentials.digest, user_id), monotonic())
        if isinstance(known, Unknown):
            # Asking again at once would cost the caller's rate limit, and bring the same answer.
            raise LookupFailed(kind_of(user_id), known.reason)
        if known is not None:
            self._meters.identities_found += 1
        return known

    async def resolve(self, credentials: Credentials, user_id: str | None) -> Identity:
        """Find the user's identity; for None, the credential's owner. Raises LookupFailed where Close does not tell."""
        known = self.known(credentials, user_id)
        if known is not None:
            return known
        self._meters.identities_missed += 1
        key = (credentials.digest, user_id)
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, credentials, user_id))
            self._asked[key] = task
            task.add_done_callback(lambda done: self._settled(key, done))
        return await asyncio.shield(task)

    def remembered(self, credentials: Credentials) -> Identity | None:
        """Tell the credential's owner where it is known already; nothing is asked."""
        known = self._cache.get((credentials.digest, None), monotonic())
        return known if isinstance(known, Identity) else None

    def forget(self, credentials: Credentials) -> None:
        """Drop what was learnt on a credential that Close refuses now."""
        self._cache.forget(credentials.digest)

    async def close(self) -> None:
        """Give up what is still being asked: whoever waited for it has left."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(self, key: Key, credentials: Credentials, user_id: str | None) -> Identity:
        question = client.owner() if user_id is None else client.user(user_id)
        try:
            identity = _identity(await self._lookups.ask(question, credentials), question.kind)
        except LookupFailed as failure:
            if failure.answered:
                self._cache.put(key, Unknown(failure.reason), monotonic())
            raise
        self._cache.put(key, identity, monotonic())
        return identity

    def _settled(self, key: Key, task: asyncio.Task[Identity]) -> None:
        del self._asked[key]
        if not task.cancelled():
            task.exception()  # seen, even where everyone who waited has left


def kind_of(user_id: str | None) -> Kind:
    """Tell what is asked for where this user is; None: the credential's owner."""
    return Kind.OWNER if user_id is None else Kind.USER


def _identity(answer: dict[str, object], kind: Kind) -> Identity:
    email = answer.get("email")
    if not isinstance(email, str) or sender_state(email) is not SenderState.USABLE:
        raise LookupFailed(kind, "no_email_told", answered=True)
    return Identity(email.strip())
