"""What stands in a file: email writes to judge, and what nobody can read."""

import json
from typing import Final, NamedTuple, TypeAlias


class Payload(NamedTuple):
    """What may be an email write, as bytes of the file."""

    line: int
    """Where it begins, counted from 1, and so is the column, in letters."""
    column: int
    body: bytes


class Unreadable(NamedTuple):
    """Something of which there is no verdict."""

    line: int | None
    """None: it is the file as a whole."""
    column: int | None
    what: str
    """What is wrong and what mends it: a sentence that begins with what stands there."""


Found: TypeAlias = Payload | Unreadable

NO_OBJECT: Final = "It is no JSON object, as an email is."


def misread(payload: Payload) -> Unreadable:
    """Tell what keeps a payload from being read as JSON, and where that stands."""
    line, column = payload.line, payload.column
    try:
        json.loads(payload.body)
    except json.JSONDecodeError as error:
        column = error.colno + (column - 1 if error.lineno == 1 else 0)
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        return Unreadable(line + error.lineno - 1, column, f"It cannot be read as JSON: {what}.")
    except RecursionError:
        return Unreadable(line, column, "It is nested too deeply.")
    except UnicodeDecodeError:
        return Unreadable(line, column, "It is not written in UTF-8: save it so.")
    except ValueError:
        pass  # a number of more digits than Python takes
    return Unreadable(line, column, "It cannot be read as JSON.")
