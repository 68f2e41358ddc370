"""The other way: an email write is read, judged, and dealt with as the verdict says.

The policy decides, the lookups inform, this enforces. Whatever cannot be read or cannot be known is forwarded.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import ClassVar, Final, NamedTuple, ParamSpec, TypeVar, assert_never

from structlog.typing import FilteringBoundLogger

from gateway.answer import CONTINUE, OwnAnswer, Stamp
from gateway.body import HIGH_WATER
from gateway.config.settings import InspectSettings, Mode, Oversize, RulesSettings
from gateway.errors import GatewayError
from gateway.exchange import Credentials, Exchange
from gateway.front import Outlet
from gateway.lookups.cache import Identity
from gateway.lookups.client import Kind, LookupFailed, traced
from gateway.lookups.identity import Identities, kind_of
from gateway.lookups.stored_email import StoredEmails
from gateway.meters import Meters
from gateway.modes import modes
from gateway.policy import (
    EmailWrite,
    FillSender,
    Findings,
    Forward,
    Reject,
    StoredEmail,
    Verdict,
    ViolationCode,
    Violations,
    decide,
    email_write,
    judge_create,
    judge_update,
    needs_stored_email,
)
from gateway.rejections.log import log_rejection
from gateway.rejections.record import make_rejections
from gateway.rejections.recorder import Recorder
from gateway.router import CreateEmail, UpdateEmail
from gateway.spans import Trace
from gateway.wire import coding, email, error
from gateway.wire.submission import Reading, read
from gateway.witness import Witness

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


LARGE: Final = 256 * 1024
"""Bytes of a body from which on reading it takes milliseconds; coded ones may unfold to any size."""

P = ParamSpec("P")
T = TypeVar("T")


class BodyTooLarge(GatewayError):
    """The body is larger than the gateway inspects, and the settings say not to forward such bodies."""

    code = "body_too_large"
    status: ClassVar[int] = 413


class Submission(NamedTuple):
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
    reports: str = ""
    """What stands behind the mark of the answer, where something is reported."""


class Interceptor:
    """Deals with the requests that create or change emails.

    `mark` turns X-Close-Gateway on. `meters` count what is done with a request, whether Close answers then or not:
    forwarded, filled, rejected, oversize. Beside them stand lookup_failed, and reported: the requests of which
    something is. `recorder` keeps rejections, where they are kept. `thread` is where large bodies are read. `traces`
    begins the trace of an exchange, where they are on. `witness` sees what is found and done, where there is one.
    """

    def __init__(
        self,
        settings: InspectSettings,
        outlet: Outlet,
        identities: Identities,
        stored_emails: StoredEmails,
        log: FilteringBoundLogger,
        meters: Meters,
        recorder: Recorder | None,
        thread: Executor,
        *,
        rules: RulesSettings,
        mark: bool,
        traces: Callable[[Exchange], Trace] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._settings = settings
        self._modes = modes(settings.mode, rules)
        self._asks = self._modes.watches(ViolationCode.SENDER_REQUIRED)
        self._outlet = outlet
        self._identities = identities
        self._stored_emails = stored_emails
        self._log = log
        self._meters = meters
        self._counts = meters.counts
        self._mark = mark
        self._recorder = recorder
        self._thread = thread
        self._traces = traces
        self._witness = witness

    def intercept(self, exchange: Exchange, route: CreateEmail | UpdateEmail) -> None:
        """Answer the request, or have it forwarded: at once where its body is there and nobody has to be asked."""
        exchange.kind = "create_email" if isinstance(route, CreateEmail) else "update_email"
        if self._traces is not None:
            exchange.trace = self._traces(exchange)
        body, limit = exchange.body, self._settings.max_body
        if exchange.length > limit:
            self._oversized(exchange, None)
        elif body.over or body.held > limit:
            self._inspect(exchange, route)
        else:
            body.high_water = limit
            exchange.carrier = Gathering(exchange, partial(self._inspect, exchange, route))
            exchange.waits()
            if exchange.http11 and _expects_continue(exchange):
                exchange.write_interim(CONTINUE)

    def _inspect(self, exchange: Exchange, route: CreateEmail | UpdateEmail) -> None:
        """Judge what has come of the body: all of it, or more than is held."""
        exchange.carrier = None
        exchange.goes_on()
        if exchange.body.error is not None:
            self._broken(exchange, exchange.body.error)
            return
        if exchange.body.held > self._settings.max_body:
            self._oversized(exchange, None)
            return
        body, encodings = exchange.body.take(), exchange.values(b"content-encoding")
        if encodings or len(body) > LARGE:
            exchange.spawn(self._read_apart(exchange, route, body, encodings))
        else:
            self._judge(exchange, route, body, read(body, (), self._settings.max_body))

    async def _read_apart(
        self, exchange: Exchange, route: CreateEmail | UpdateEmail, body: bytes, encodings: Sequence[bytes]
    ) -> None:
        try:
            reading = await self._apart(read, body, encodings, self._settings.max_body)
        except coding.TooLarge:
            self._oversized(exchange, body)
        else:
            self._judge(exchange, route, body, reading)

    def _judge(
        self, exchange: Exchange, route: CreateEmail | UpdateEmail, body: bytes, reading: Reading | None
    ) -> None:
        if reading is None:
            self._forward(exchange, body)
            return
        email_id = route.email_id if isinstance(route, UpdateEmail) else None
        submission = Submission(body, reading.plain, reading.members, email_write(reading.members), email_id)
        if email_id is None:
            self._enforce(exchange, submission, judge_create(submission.email))
        elif self._asks and needs_stored_email(submission.email):
            exchange.spawn(self._judge_with_stored(exchange, submission, email_id))
        else:
            self._enforce(exchange, submission, judge_update(submission.email, None))

    async def _judge_with_stored(self, exchange: Exchange, submission: Submission, email_id: str) -> None:
        exchange.waits()
        stored = await self._stored(exchange, email_id)
        exchange.goes_on()
        self._enforce(exchange, submission, judge_update(submission.email, stored))

    def _enforce(self, exchange: Exchange, submission: Submission, findings: Findings) -> None:
        verdict = decide(findings, self._modes)
        if self._witness is not None:
            update = submission.email_id is not None
            self._witness.judged(exchange, submission.plain, submission.email, verdict, update=update)
        if verdict.reported:
            submission = self._report(exchange, submission, verdict)
        match verdict:
            case Forward():
                self._forward(exchange, submission.raw, submission.reports)
            case FillSender(user_id):
                self._fill(exchange, submission, user_id)
            case Reject(violations):
                self._reject(exchange, submission, violations)
            case other:
                assert_never(other)

    # -- what a verdict leads to --

    def _forward(self, exchange: Exchange, body: bytes, reports: str = "") -> None:
        self._counts["forwarded"] += 1
        stamp = self._stamp(exchange, f"forwarded{reports}")
        self._outlet.forward(exchange, body=body, without=ANSWERED_HERE, stamp=stamp)

    def _fill(self, exchange: Exchange, submission: Submission, user_id: str | None) -> None:
        try:
            if exchange.credentials is None:
                raise LookupFailed(kind_of(user_id), "no_credentials")
            identity = self._identities.known(exchange.credentials, user_id)
        except LookupFailed as failure:
            self._unfilled(exchange, submission, failure)
            return
        if identity is None:
            exchange.spawn(self._fill_later(exchange, exchange.credentials, submission, user_id))
        else:
            self._filled(exchange, submission, identity, user_id, asked=False)

    async def _fill_later(
        self, exchange: Exchange, credentials: Credentials, submission: Submission, user_id: str | None
    ) -> None:
        exchange.waits()
        try:
            with traced(exchange, kind_of(user_id)):
                identity = await self._identities.resolve(credentials, user_id)
        except LookupFailed as failure:
            exchange.goes_on()
            self._unfilled(exchange, submission, failure)
        else:
            exchange.goes_on()
            self._filled(exchange, submission, identity, user_id, asked=True)

    def _unfilled(self, exchange: Exchange, submission: Submission, failure: LookupFailed) -> None:
        self._log_lookup_failed(exchange, failure)
        self._forward(exchange, submission.raw, submission.reports)

    def _filled(
        self, exchange: Exchange, submission: Submission, identity: Identity, user_id: str | None, *, asked: bool
    ) -> None:
        self._counts["filled"] += 1
        if self._witness is not None:
            self._witness.filled(exchange, identity.email, user_id, asked=asked)
        credential = exchange.credentials.fingerprint if exchange.credentials else None
        self._log.info("sender_filled", source=kind_of(user_id).value, credential=credential, **exchange.facts())
        if len(submission.plain) > LARGE:
            exchange.spawn(self._put_in_apart(exchange, submission, identity))
        else:
            filled = email.with_sender(submission.plain, submission.members, identity.email)
            self._forward_filled(exchange, filled, submission.reports)

    async def _put_in_apart(self, exchange: Exchange, submission: Submission, identity: Identity) -> None:
        filled = await self._apart(email.with_sender, submission.plain, submission.members, identity.email)
        self._forward_filled(exchange, filled, submission.reports)

    def _forward_filled(self, exchange: Exchange, filled: bytes, reports: str) -> None:
        stamp = self._stamp(exchange, f"filled; sender{reports}")
        self._outlet.forward(exchange, body=filled, without=OF_THE_BYTES, stamp=stamp)

    def _report(self, exchange: Exchange, submission: Submission, verdict: Verdict) -> Submission:
        self._counts["reported"] += 1
        self._keep(exchange, submission, verdict.reported, enforced=False, refused=isinstance(verdict, Reject))
        # Each code is there once at most, so that their number bounds the length.
        codes = ",".join(violation.code.value for violation in verdict.reported)
        return submission._replace(reports=f"; reported={codes}")

    def _reject(self, exchange: Exchange, submission: Submission, violations: Violations) -> None:
        self._counts["rejected"] += 1
        self._keep(exchange, submission, violations[:1], enforced=True, refused=True)
        answer = error.bad_request(violations, submission.email, exchange.id, update=submission.email_id is not None)
        self._own(exchange, answer, f"rejected; {violations[0].code.value}{submission.reports}")

    def _keep(
        self, exchange: Exchange, submission: Submission, violations: Violations, *, enforced: bool, refused: bool
    ) -> None:
        """Log and record each of them."""
        owner = self._identities.remembered(exchange.credentials) if exchange.credentials else None
        counts = self._meters.rejected if enforced else self._meters.reported
        for rejection in make_rejections(
            exchange,
            violations,
            submission.members,
            email_id=submission.email_id,
            owner=owner.email if owner else None,
            enforced=enforced,
            refused=refused,
        ):
            counts[rejection.code] += 1
            log_rejection(self._log, rejection)
            if self._recorder is not None:
                self._recorder.record(rejection, submission.members, submission.plain)

    def _broken(self, exchange: Exchange, failure: GatewayError) -> None:
        self._meters.refused[failure.code] += 1
        self._log.warning("request_broken", code=failure.code, reason=str(failure), **exchange.facts())
        self._own(exchange, error.gateway_error(failure, exchange.id), f"rejected; {failure.code}")

    def _oversized(self, exchange: Exchange, body: bytes | None) -> None:
        """Deal with a body that is larger than `inspect.max_body`: taken whole (`body`), or still coming."""
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
            exchange.body.high_water = HIGH_WATER
            # Where a part of it has come, the gateway has said that it may.
            without: Collection[bytes] = ANSWERED_HERE if body is not None or exchange.body.held else ()
            self._outlet.forward(exchange, body=body, without=without, stamp=stamp)
            return
        self._meters.refused[BodyTooLarge.code] += 1
        failure = BodyTooLarge(f"The body is larger than the {self._settings.max_body} bytes that are inspected.")
        self._own(exchange, error.gateway_error(failure, exchange.id), f"rejected; {failure.code}")

    # -- what a verdict needs --

    async def _apart(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do in a thread what takes long enough to keep other requests waiting; one at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *given, **named))

    async def _stored(self, exchange: Exchange, email_id: str) -> StoredEmail | None:
        try:
            if exchange.credentials is None:
                raise LookupFailed(Kind.STORED_EMAIL, "no_credentials")
            with traced(exchange, Kind.STORED_EMAIL):
                return await self._stored_emails.find(exchange.credentials, email_id)
        except LookupFailed as failure:
            self._log_lookup_failed(exchange, failure)
            return None

    def _log_lookup_failed(self, exchange: Exchange, failure: LookupFailed) -> None:
        self._counts["lookup_failed"] += 1
        if self._witness is not None:
            self._witness.lookup_failed(exchange, failure.kind.value, failure.reason)
        self._log.warning(
            "lookup_failed",
            kind=failure.kind.value,
            reason=failure.reason,
            outcome="forwarded as it came",
            credential=exchange.credentials.fingerprint if exchange.credentials else None,
            **exchange.facts(),
        )

    def _own(self, exchange: Exchange, answer: OwnAnswer, mark: str) -> None:
        lines = self._stamp(exchange, mark).lines
        self._outlet.answer(exchange, answer, lines, keep_alive=exchange.keep_alive)

    def _stamp(self, exchange: Exchange, mark: str) -> Stamp:
        """Make what every answer to an intercepted request carries, and note what was done with it."""
        exchange.mark = mark
        return Stamp(exchange.id, mark if self._mark else None)


class Gathering:
    """A gateway.exchange.Carrier that waits for a body: for all of it, or for more than is held. Then it goes on."""

    def __init__(self, exchange: Exchange, then: Callable[[], None]) -> None:
        self._body = exchange.body
        self._then = then

    def body_came(self) -> None:
        if self._body.over or self._body.full:
            self._then()

    def writable(self) -> None:
        """Nothing is written yet."""

    def left(self) -> None:
        """What has come of the body goes with the exchange."""


def _expects_continue(exchange: Exchange) -> bool:
    return (exchange.value(b"expect") or "").strip().lower() == "100-continue"
