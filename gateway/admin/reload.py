"""`POST /api/reload`: the configuration is read anew, and the answer tells what came of it."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from gateway.admin.answers import Handler, answer
from gateway.config.change import Change
from gateway.config.problem import BadConfiguration

RELOAD: Final = "/api/reload"


def reload(act: Callable[[], Awaitable[Change]]) -> Handler:
    """Make the handler. 200: `changed` and `needs_restart`; 400: every problem, as `config check` tells it."""

    async def handle(_: web.Request) -> web.Response:
        try:
            done = await act()
        except BadConfiguration as bad:
            fields = {problem.setting: f"{problem.what}. {problem.fix}" for problem in bad.problems if problem.setting}
            return answer({"errors": [str(problem) for problem in bad.problems], "field-errors": fields}, 400)
        return answer({"changed": done.changed, "needs_restart": done.needs_restart})

    return handle
