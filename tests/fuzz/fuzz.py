"""Runs cases by the seed, and finds the smallest one that fails."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias

import uvloop
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.cases import Case, answer_cases, request_cases
from tests.fuzz.checks import check_answer, check_request
from tests.fuzz.rig import Rig

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]


@contextlib.contextmanager
def rigged() -> Iterator[tuple[Rig, Run]]:
    """Give a rig, and what runs a check against it on the loop that the gateway has in production."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = contextlib.AsyncExitStack()
        rig: Rig = runner.run(stack.enter_async_context(Rig.running()))
        try:
            yield rig, runner.run
        finally:
            runner.run(stack.aclose())


def fuzz_requests(rig: Rig, run: Run, number: int, count: int) -> None:
    """Try so many cases of a client's bytes. The exception of a failure tells the smallest one."""

    @_bounded(number, count)
    @given(request_cases())
    def holds(case: Case) -> None:
        run(check_request(rig, case))

    holds()


def fuzz_answers(rig: Rig, run: Run, number: int, count: int) -> None:
    """Try so many cases of an upstream's bytes."""

    @_bounded(number, count)
    @given(answer_cases(), st.booleans())
    def holds(case: Case, closes: bool) -> None:  # noqa: FBT001 # hypothesis draws it
        run(check_answer(rig, case, closes=closes))

    holds()


def _bounded(number: int, count: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Draw from this seed, remember nothing between runs, and take the time that it takes."""
    limits = settings(
        max_examples=count,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(number)(limits(test))
