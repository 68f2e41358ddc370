"""The promises, for a case of a client's bytes and for a case of an upstream's."""

from tests.fuzz.cases import Case
from tests.fuzz.messages import Answer, Invalid, Reading, Request, Short, read_answer, read_requests
from tests.fuzz.rig import Fault, Rig, Sender

ASKED = b"GET /asked HTTP/1.1\r\nHost: a\r\n\r\n"
FAILED = frozenset({502, 504})


async def check_request(rig: Rig, case: Case) -> None:
    """Send mutated requests."""
    rig.answer = None
    sender = await rig.send(case)
    try:
        expected = read_requests(case.data)
        check_targets(expected, rig.targets)
        check_answers(expected, rig.targets, sender)
        await rig.check_canary()
    finally:
        sender.transport.abort()
    await rig.check_nothing_left()


def check_targets(expected: list[Request], targets: list[bytes]) -> None:
    """Never two for one, none out of turn, none that was in another one's body."""
    waiting = [origin_form(request.target) for request in expected]
    for target in targets:
        if target not in waiting:
            raise Fault(f"The upstream got {targets}, where the client sent {expected}.")
        del waiting[: waiting.index(target) + 1]  # some are answered by the gateway itself


def origin_form(target: bytes) -> bytes:
    """Give what an absolute-form says behind the authority."""
    if target.startswith((b"/", b"*")):
        return target
    authority, slash, path = target.partition(b"://")[2].partition(b"/")
    if b"?" in authority:
        return b"/?" + authority.partition(b"?")[2] + slash + path
    return b"/" + path


def check_answers(expected: list[Request], targets: list[bytes], sender: Sender) -> None:
    """All of what came back is valid, complete, in order, and no more than was asked for."""
    reading, answers = Reading(sender.received), list[Answer]()
    try:
        while not reading.over:
            head = len(answers) < len(expected) and expected[len(answers)].method == b"HEAD"
            answers.append(next_answer(reading, bodiless=head, ended=sender.ended))
    except (Invalid, Short) as error:
        if isinstance(error, Invalid) or not sender.received.endswith(b"100 Continue\r\n\r\n"):
            raise Fault(f"This is no HTTP: {sender.received!r}") from error
    if len(answers) > len(expected) + 1:
        raise Fault(f"{len(answers)} answers to {len(expected)} requests: {sender.received!r}")
    told = [target for answer in answers for target in answer.head.values(b"x-target")]
    if told != targets[: len(told)]:
        raise Fault(f"Answers of {told}, where the upstream got {targets}")


def next_answer(reading: Reading, *, bodiless: bool, ended: bool) -> Answer:
    """Read the next answer. A refusal that ends the connection may lack a body: HEAD may be all that was understood."""
    start = reading.at
    if ended and reading.data.startswith(b"HTTP/1.1 4", start):
        answer = read_answer(reading, bodiless=True, ended=ended)
        if reading.over:
            return answer
        reading.at, bodiless = start, False
    return read_answer(reading, bodiless=bodiless, ended=ended)


async def check_answer(rig: Rig, case: Case, *, closes: bool) -> None:
    """Answer a plain request with mutated bytes."""
    rig.answer, rig.closes = case, closes
    sender = await rig.send(Case(ASKED))
    try:
        check_relayed(case.data, sender, closes=closes)
        rig.answer = None
        await rig.check_canary()
    finally:
        sender.transport.abort()
    await rig.check_nothing_left()


def check_relayed(data: bytes, sender: Sender, *, closes: bool) -> None:
    """The client sees the upstream's answer, an error in its place, or that it breaks off."""
    try:
        seen = read_answer(Reading(sender.received), bodiless=False, ended=sender.ended)
    except Invalid as error:
        raise Fault(f"This is no HTTP: {sender.received!r}") from error
    except Short as error:
        if closes and not sender.ended:
            raise Fault(f"The client is kept waiting after {sender.received!r}") from error
        return
    if seen.status in FAILED and seen.head.values(b"x-request-id"):
        return
    try:
        sent = read_answer(Reading(data), bodiless=False, ended=closes, loose=True)
    except (Invalid, Short) as error:
        raise Fault(f"The upstream's {data!r} looks complete to the client: {sender.received!r}") from error
    if (seen.status, seen.body) != (sent.status, sent.body):
        raise Fault(f"The upstream's {data!r} looks like another answer to the client: {sender.received!r}")
