"""What can be seen and set of a running sandbox by whoever runs it: beside Close's API, and never a part of it.

Rule    A body is JSON, whatever type it claims to have, so that `curl -d` needs no header. No key is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.sandbox.bodies import read_json
from gateway.sandbox.call import Call
from gateway.sandbox.clock import told, turned
from gateway.sandbox.limits import Rate
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import NOT_AN_OBJECT, REQUIRED, invalid, refused
from gateway.sandbox.state import State

Control: TypeAlias = Callable[[State, Call], Record]


def controlled(state: State, call: Call) -> Record:
    """Do what is asked and answer it, or raise a `Refusal`."""
    methods = CONTROLS.get(call.path)
    if methods is None:
        raise refused(404, f"Not Found: there are {', '.join(CONTROLS)}.")
    method = "GET" if call.method == "HEAD" else call.method
    if method not in methods:
        raise refused(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
    return methods[method](state, call)


def fields_of(call: Call) -> dict[str, Any]:
    """The object in the body."""
    fields = read_json(call.body, None)
    if not isinstance(fields, dict):
        raise invalid(NOT_AN_OBJECT)
    return fields


def _dump(state: State, _call: Call) -> Record:
    return state.dump()


def _reset(state: State, _call: Call) -> Record:
    state.reset()
    return {}


def _show_limits(state: State, _call: Call) -> Record:
    return {"rate": str(state.limits.rate)}


def _set_limits(state: State, call: Call) -> Record:
    rate = fields_of(call).get("rate")
    if not isinstance(rate, str):
        raise invalid(fields={"rate": f"{REQUIRED} Give a rate such as 20/s."})
    try:
        state.limits.rate = Rate.parse(rate)
    except ValueError as error:
        raise invalid(fields={"rate": f"It {error}."}) from None
    return _show_limits(state, call)


def _tell_time(state: State, _call: Call) -> Record:
    return told(state.world.clock)


def _turn_clock(state: State, call: Call) -> Record:
    return turned(state.world.clock, fields_of(call))


CONTROLS: Final[Mapping[str, Mapping[str, Control]]] = {
    "/sandbox/state": {"GET": _dump},
    "/sandbox/reset": {"POST": _reset},
    "/sandbox/limits": {"GET": _show_limits, "POST": _set_limits},
    "/sandbox/clock": {"GET": _tell_time, "POST": _turn_clock},
}
