"""The gateway's own questions to Close, on the caller's credentials.

Rule    A question may cost a request a little time, never the request itself: each ends after `timeout` seconds, and
        after some failures in a row the questions of that kind pause, so that a dead endpoint does not slow all down.
        An answer that says no (401, 403, 404, 429) is an answer: only what shows that Close is ailing counts.
Source  close.com API: rate limits are per key and per endpoint group, so kinds are counted apart.
"""

import asyncio
import enum
import re
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import ClassVar, Final

import orjson

from gateway.errors import GatewayError
from gateway.exchange import Credentials
from gateway.lookups.breaker import Breaker
from gateway.meters import Meters
from gateway.upstream.connection import AnswerHead, UpstreamConnection
from gateway.upstream.errors import UpstreamBroken, UpstreamBusy
from gateway.upstream.pool import Pool

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer to a question of ours. With `_fields`, Close sends a few hundred."""
SANE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Kind(enum.Enum):
    """What is asked for. Each kind has its own breaker."""

    OWNER = "owner"
    USER = "user"
    STORED_EMAIL = "stored_email"


class LookupFailed(GatewayError):
    """Close could not be asked, or its answer does not tell. `reason` is one of a few fixed words.

    `answered`: Close has been asked and said no, which it would say again.
    """

    code: ClassVar[str] = "lookup_failed"

    def __init__(self, kind: Kind, reason: str, *, answered: bool = False) -> None:
        super().__init__(f"The look-up of the {kind.value} failed: {reason}.")
        self.kind = kind
        self.reason = reason
        self.answered = answered


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: a path below /api/v1 and the fields that are wanted of the answer."""

    kind: Kind
    path: str
    fields: str


def owner() -> Question:
    """Ask who stands behind the credential."""
    return Question(Kind.OWNER, "/api/v1/me/", "id,email")


def user(user_id: str) -> Question:
    """Ask for a user of the credential's organization. Raises LookupFailed for what cannot be an id."""
    return Question(Kind.USER, f"/api/v1/user/{_checked(Kind.USER, user_id)}/", "id,email")


def stored_email(email_id: str) -> Question:
    """Ask for an email activity. Raises LookupFailed for what cannot be an id."""
    checked = _checked(Kind.STORED_EMAIL, email_id)
    return Question(Kind.STORED_EMAIL, f"/api/v1/activity/email/{checked}/", "id,sender")


def _checked(kind: Kind, given: str) -> str:
    """An id goes into a path of ours: nothing else than an id may, least of all dots and slashes."""
    if not SANE_ID.fullmatch(given):
        raise LookupFailed(kind, "not_an_id")
    return given


class LookupClient:
    """Asks Close over the pool that requests go by."""

    def __init__(
        self, pool: Pool, user_agent: str, meters: Meters, *, timeout: float, breakers: dict[Kind, Breaker]
    ) -> None:
        self._pool = pool
        self._meters = meters
        self._timeout = timeout
        self._breakers = breakers
        self._fixed = b"Host: %b\r\nUser-Agent: %b\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n\r\n" % (
            pool.origin.authority,
            user_agent.encode(),
        )

    async def ask(self, question: Question, credentials: Credentials) -> dict[str, object]:
        """Give the JSON object that Close answers with. Raises LookupFailed where there is none."""
        breaker = self._breakers[question.kind]
        if not breaker.closed(monotonic()):
            self._count(question, "paused")
            raise LookupFailed(question.kind, "paused")
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await self._retried(question, credentials)
        except UpstreamBusy as error:
            self._count(question, "failed")
            raise LookupFailed(question.kind, error.code) from None  # it is we who are busy
        except (GatewayError, TimeoutError) as error:
            breaker.failed(monotonic())
            self._count(question, "failed")
            reason = error.code if isinstance(error, GatewayError) else "timed_out"
            raise LookupFailed(question.kind, reason) from None
        return self._read(question, status, body, breaker)

    def _read(self, question: Question, status: int, body: bytes, breaker: Breaker) -> dict[str, object]:
        try:
            answer: object = orjson.loads(body) if status == HTTPStatus.OK else None
        except orjson.JSONDecodeError:
            answer = None
        if isinstance(answer, dict):
            breaker.succeeded()
            self._count(question, "answered")
            return answer
        said_no = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        self._count(question, "refused" if said_no else "failed")
        if said_no:
            breaker.succeeded()
        else:
            breaker.failed(monotonic())
        reason = "unreadable" if status == HTTPStatus.OK else f"status_{status}"
        raise LookupFailed(question.kind, reason, answered=said_no)

    def _count(self, question: Question, outcome: str) -> None:
        self._meters.lookups[question.kind.value, outcome] += 1

    async def _retried(self, question: Question, credentials: Credentials) -> tuple[int, bytes]:
        connection = self._pool.take() or await self._pool.connect()
        try:
            return await self._exchange(question, credentials, connection)
        except UpstreamBroken:
            if not connection.stale:
                raise
        return await self._exchange(question, credentials, await self._pool.connect(fresh=True))

    async def _exchange(
        self, question: Question, credentials: Credentials, connection: UpstreamConnection
    ) -> tuple[int, bytes]:
        answer = Answer(connection)
        try:
            connection.begin(
                answer,
                b"GET %b?_fields=%b HTTP/1.1\r\nAuthorization: %b\r\n%b"
                % (question.path.encode(), question.fields.encode(), credentials.reveal(), self._fixed),
                bodiless=False,
            )
            answer.progress()
            await answer.settled
            if connection.error is not None or connection.head is None:
                raise connection.error or UpstreamBroken("The upstream gave no answer.")
            return connection.head.status, answer.body[: MAX_ANSWER + 1]
        finally:
            connection.forget()
            self._pool.give_back(connection)


class Answer:
    """A gateway.upstream.connection.Borrower that waits until an answer is complete, failed, or larger than any is."""

    def __init__(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.body = b""

    def progress(self) -> None:
        connection = self._connection
        self.body += connection.take()
        # What is larger is no JSON either way; the rest is not waited for.
        over = connection.complete or connection.error is not None or len(self.body) > MAX_ANSWER
        if over and not self.settled.done():
            self.settled.set_result(None)

    def interim(self, head: AnswerHead, /) -> None:
        """Nothing that was asked for."""
