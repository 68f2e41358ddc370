"""Who stands behind this credential, or this user_id?

Rule    Each answer is remembered for a while under the credential that asked. Requests that need the same answer at
        the same time share one question, and none of them leaving takes it from the others.
Rule    Where gateways share what they were told, that is looked for before Close is asked, and only then: what is known
        here needs nobody else.
"""

import asyncio
import math
from time import monotonic

from gateway.exchange import Credentials
from gateway.lookups import client
from gateway.lookups.cache import Identity, IdentityCache, Key, Unknown
from gateway.lookups.client import Kind, LookupClient, LookupFailed, Question
from gateway.lookups.seal import Shared
from gateway.lookups.shared import SharedIdentities
from gateway.meters import Meters
from gateway.policy.sender import SenderState, sender_state


class Identities:
    """Resolves credentials and user ids to identities. `shared`: with other gateways."""

    def __init__(
        self, lookups: LookupClient, cache: IdentityCache, meters: Meters, shared: SharedIdentities | None = None
    ) -> None:
        self._lookups = lookups
        self._cache = cache
        self._meters = meters
        self._shared = shared
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
        forgotten = self._cache.forget(credentials.digest)
        if self._shared is not None:
            # Of users that other gateways asked for, nothing is known here: theirs ends with its time.
            self._shared.forget([(credentials.digest, None), *forgotten])

    async def close(self) -> None:
        """Give up what is still being asked: whoever waited for it has left."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        if self._shared is not None:
            await self._shared.close()

    async def _ask(self, key: Key, credentials: Credentials, user_id: str | None) -> Identity:
        question = client.owner() if user_id is None else client.user(user_id)
        if self._shared is None:
            outcome, lasts = await self._answer(question, credentials), math.inf
        else:
            outcome, lasts = await self._answer_of_all(self._shared, key, question, credentials)
        self._cache.put(key, outcome, monotonic(), lasts)
        if isinstance(outcome, Unknown):
            raise LookupFailed(question.kind, outcome.reason, answered=True)
        return outcome

    async def _answer(
        self, question: Question, credentials: Credentials, within: float | None = None
    ) -> Identity | Unknown:
        """Ask Close. Raises LookupFailed where it does not answer."""
        self._meters.identities_missed += 1
        try:
            return _identity(await self._lookups.ask(question, credentials, within), question.kind)
        except LookupFailed as failure:
            if not failure.answered:
                raise
            return Unknown(failure.reason)

    async def _answer_of_all(
        self, shared: SharedIdentities, key: Key, question: Question, credentials: Credentials
    ) -> tuple[Identity | Unknown, float]:
        """Take what another gateway was told, or ask Close for all of them; and how long to remember it here."""
        found = await shared.find(key)
        if isinstance(found, Shared):
            self._meters.identities_shared += 1
            return found.outcome, min(found.lasts, shared.local)
        try:
            outcome = await self._answer(question, credentials, found.within)
        except LookupFailed:
            shared.give_up(found)
            raise
        shared.tell(found, outcome)
        return outcome, shared.local

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
