"""The other way: an email write is read, judged, and dealt with as the verdict says.

The policy decides, the lookups inform, this enforces. Whatever cannot be read or cannot be known is forwarded.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final, assert_never

from aiohttp import HttpVersion11, web
from structlog.typing import FilteringBoundLogger

from gateway.answer import CONTINUE, OwnAnswer, Stamp, write_interim
from gateway.config.settings import InspectSettings, Mode, Oversize
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.forwarder import Forwarder, RequestBroken
from gateway.lookups.client import Kind, LookupFailed
from gateway.lookups.identity import Identities
from gateway.lookups.stored_email import StoredEmails
from gateway.policy import (
    EmailWrite,
    FillSender,
    Forward,
    Reject,
    StoredEmail,
    Verdict,
    Violation,
    judge_create,
    judge_update,
    needs_stored_email,
)
from gateway.rejections.log import log_rejection
from gateway.rejections.record import make_rejection
from gateway.router import CreateEmail, UpdateEmail
from gateway.wire import coding, email, error

# The gateway has the body: the upstream need not be asked whether it may come (RFC 9110, 10.1.1).
ANSWERED_HERE: Final = frozenset({b"expect"})
# What no longer holds once a sender is in the body: its coding, and digests of its bytes (RFC 9530).
OF_THE_BYTES: Final = ANSWERED_HERE | {
    b"content-encoding",
    b"content-digest",
    b"repr-digest",
    b"digest",
    b"content-md5",
}


class BodyTooLarge(GatewayError):
    """The body is larger than the gateway inspects, and the settings say not to forward such bodies."""

    code = "body_too_large"
    status: ClassVar[int] = 413


@dataclass(frozen=True, slots=True)
class Submission:
    """An email write as it came in."""

    raw: bytes
    """The body, in its codings."""
    plain: bytes
    """The body without them."""
    members: dict[str, object]
    """What the plain body says, read as Close reads it."""
    email: EmailWrite
    """What the rules look at of it."""
    email_id: str | None
    """The email to change; None for one to create."""


class Interceptor:
    """Deals with the requests that create or change emails.

    `mark` turns X-Close-Gateway on. `counts` is counted up by what is done with a request, whether Close answers then
    or not: forwarded, filled, rejected, reported, oversize; and lookup_failed beside them.
    """

    def __init__(
        self,
        settings: InspectSettings,
        forwarder: Forwarder,
        identities: Identities,
        stored_emails: StoredEmails,
        log: FilteringBoundLogger,
        counts: Counter[str],
        *,
        mark: bool,
    ) -> None:
        self._settings = settings
        self._forwarder = forwarder
        self._identities = identities
        self._stored_emails = stored_emails
        self._log = log
        self._counts = counts
        self._mark = mark

    async def intercept(self, exchange: Exchange, route: CreateEmail | UpdateEmail) -> web.StreamResponse:
        """Answer the request, or have it forwarded."""
        try:
            body, complete = await self._body(exchange.request)
        except GatewayError as failure:
            self._log.warning("request_broken", code=failure.code, reason=str(failure), **exchange.facts())
            return self._own(exchange, error.gateway_error(failure, exchange.id), f"rejected; {failure.code}")
        if not complete:
            return await self._oversized(exchange, begun=body)
        try:
            plain = self._plain(exchange, body)
        except coding.TooLarge:
            return await self._oversized(exchange, body=body)
        members = None if plain is None else email.read_object(plain)
        if plain is None or members is None:
            return await self._forward(exchange, body)
        email_id = route.email_id if isinstance(route, UpdateEmail) else None
        submission = Submission(body, plain, members, email.email_write(members), email_id)
        return await self._enforce(exchange, submission, await self._judge(exchange, submission))

    async def _judge(self, exchange: Exchange, submission: Submission) -> Verdict:
        if submission.email_id is None:
            return judge_create(submission.email)
        stored = None
        if needs_stored_email(submission.email):
            stored = await self._stored(exchange, submission.email_id)
        return judge_update(submission.email, stored)

    async def _enforce(self, exchange: Exchange, submission: Submission, verdict: Verdict) -> web.StreamResponse:
        match verdict:
            case Forward():
                return await self._forward(exchange, submission.raw)
            case FillSender(user_id):
                return await self._fill(exchange, submission, user_id)
            case Reject(violations):
                return await self._reject(exchange, submission, violations)
            case other:
                assert_never(other)

    # -- what a verdict leads to --

    async def _forward(self, exchange: Exchange, body: bytes, mark: str = "forwarded") -> web.StreamResponse:
        self._counts[mark.partition(";")[0]] += 1
        stamp = self._stamp(exchange, mark)
        return await self._forwarder.forward(exchange, body=body, without=ANSWERED_HERE, stamp=stamp)

    async def _fill(self, exchange: Exchange, submission: Submission, user_id: str | None) -> web.StreamResponse:
        kind = Kind.OWNER if user_id is None else Kind.USER
        try:
            if exchange.credentials is None:
                raise LookupFailed(kind, "no_credentials")
            identity = await self._identities.resolve(exchange.credentials, user_id)
        except LookupFailed as failure:
            self._log_lookup_failed(exchange, failure)
            return await self._forward(exchange, submission.raw)
        self._counts["filled"] += 1
        self._log.info(
            "sender_filled", source=kind.value, credential=exchange.credentials.fingerprint, **exchange.facts()
        )
        filled = email.with_sender(submission.plain, submission.members, identity.email)
        stamp = self._stamp(exchange, "filled; sender")
        return await self._forwarder.forward(exchange, body=filled, without=OF_THE_BYTES, stamp=stamp)

    async def _reject(
        self, exchange: Exchange, submission: Submission, violations: tuple[Violation, ...]
    ) -> web.StreamResponse:
        enforced = self._settings.mode is Mode.ENFORCE
        owner = self._identities.remembered(exchange.credentials) if exchange.credentials else None
        rejection = make_rejection(
            exchange,
            violations[0],
            submission.members,
            email_id=submission.email_id,
            owner=owner.email if owner else None,
        )
        log_rejection(self._log, rejection, enforced=enforced)
        code = violations[0].code.value
        if not enforced:
            return await self._forward(exchange, submission.raw, f"reported; {code}")
        self._counts["rejected"] += 1
        answer = error.bad_request(violations, submission.email, exchange.id, update=submission.email_id is not None)
        return self._own(exchange, answer, f"rejected; {code}")

    async def _oversized(
        self, exchange: Exchange, *, body: bytes | None = None, begun: bytes = b""
    ) -> web.StreamResponse:
        """Deal with a body that is larger than `inspect.max_body`: held whole (`body`), or only `begun`."""
        self._counts["oversize"] += 1
        self._log.warning(
            "body_oversized",
            limit=self._settings.max_body,
            action=self._settings.oversize.value,
            credential=exchange.credentials.fingerprint if exchange.credentials else None,
            user_agent=exchange.user_agent,
            **exchange.facts(),
        )
        if self._settings.oversize is Oversize.FORWARD or self._settings.mode is Mode.REPORT:
            stamp = self._stamp(exchange, "forwarded")
            without: Collection[bytes] = ANSWERED_HERE if body is not None or begun else ()
            return await self._forwarder.forward(exchange, body=body, begun=begun, without=without, stamp=stamp)
        failure = BodyTooLarge(f"The body is larger than the {self._settings.max_body} bytes that are inspected.")
        return self._own(exchange, error.gateway_error(failure, exchange.id), f"rejected; {failure.code}")

    # -- what a verdict needs --

    async def _body(self, request: web.BaseRequest) -> tuple[bytes, bool]:
        """Read the body as far as the limit; tell whether that is all of it. Raises RequestBroken."""
        limit = self._settings.max_body
        if (request.content_length or 0) > limit:
            return b"", False
        content = request.content
        if not content.is_eof() and request.version >= HttpVersion11 and _expects_continue(request):
            write_interim(request, CONTINUE)
        pieces: list[bytes] = []
        size = 0
        try:
            while size <= limit and (piece := await content.readany()):
                pieces.append(piece)
                size += len(piece)
        except (web.RequestPayloadError, ConnectionError):
            raise RequestBroken("The request's body ends early or is framed wrongly.") from None
        return b"".join(pieces), size <= limit

    def _plain(self, exchange: Exchange, body: bytes) -> bytes | None:
        """Take the codings off; None where that cannot be done. Raises coding.TooLarge."""
        applied = coding.codings(exchange.field_values(b"content-encoding"))
        try:
            return coding.decode(body, applied, self._settings.max_body)
        except coding.Undecodable:
            return None

    async def _stored(self, exchange: Exchange, email_id: str) -> StoredEmail | None:
        try:
            if exchange.credentials is None:
                raise LookupFailed(Kind.STORED_EMAIL, "no_credentials")
            return await self._stored_emails.find(exchange.credentials, email_id)
        except LookupFailed as failure:
            self._log_lookup_failed(exchange, failure)
            return None

    def _log_lookup_failed(self, exchange: Exchange, failure: LookupFailed) -> None:
        self._counts["lookup_failed"] += 1
        self._log.warning(
            "lookup_failed",
            kind=failure.kind.value,
            reason=failure.reason,
            outcome="forwarded as it came",
            credential=exchange.credentials.fingerprint if exchange.credentials else None,
            **exchange.facts(),
        )

    def _own(self, exchange: Exchange, answer: OwnAnswer, mark: str) -> web.StreamResponse:
        return answer.send(exchange.request, self._stamp(exchange, mark).lines, keep_alive=exchange.keep_alive)

    def _stamp(self, exchange: Exchange, mark: str) -> Stamp:
        """Make what every answer to an intercepted request carries."""
        return Stamp(exchange.id, mark if self._mark else None)


def _expects_continue(request: web.BaseRequest) -> bool:
    return request.headers.get("Expect", "").strip().lower() == "100-continue"
