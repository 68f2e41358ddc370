"""Which part of what there is does a read ask for?

Rule    A list answers `data` and `has_more`; `_limit` (100 unless told, 200 at most) and `_skip` choose the page.
        `_fields` names the fields wanted, commas between; a name that nothing has is not missed.
Source  developer.close.com: Pagination; Specifying fields. The most that `_limit` may be is what users of the API
        report for leads.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.sandbox.records import Record
from gateway.sandbox.refusal import invalid

DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 200
LONGEST_NUMBER: Final = 9
"""Digits. Python refuses to read a number of some thousands."""


def page_of(records: Sequence[Record], query: Mapping[str, str]) -> Record:
    """Answer a list with the page that the query asks for."""
    limit = _number(query, "_limit", DEFAULT_LIMIT)
    skip = _number(query, "_skip", 0)
    if limit > MOST_LIMIT:
        raise invalid(fields={"_limit": f"Input should be less than or equal to {MOST_LIMIT}"})
    page = records[skip : skip + limit]
    return {"data": [wanted_of(record, query) for record in page], "has_more": skip + limit < len(records)}


def wanted_of(record: Record, query: Mapping[str, str]) -> Record:
    """The fields that the query asks for; all, if it names none."""
    wanted = set(listed(query, "_fields"))
    return {name: value for name, value in record.items() if name in wanted} if wanted else record


def matching(records: Sequence[Record], query: Mapping[str, str], names: Sequence[str]) -> list[Record]:
    """The records that have one of the values that the query gives, in each of these fields that it names."""
    wanted = {name: listed(query, name) for name in names} | {"id": listed(query, "id__in")}
    return [record for record in records if all(record[name] in values for name, values in wanted.items() if values)]


def flagged(records: Sequence[Record], query: Mapping[str, str], names: Sequence[str]) -> list[Record]:
    """The records whose fields of these names are true or false, where the query says which."""
    wanted = {name: query[name].lower() == "true" for name in names if query.get(name)}
    return [record for record in records if wanted.items() <= record.items()]


def listed(query: Mapping[str, str], name: str) -> list[str]:
    """The values of a parameter that takes several, commas between."""
    return [value.strip() for value in query.get(name, "").split(",") if value.strip()]


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise invalid(fields={name: "Input should be a valid integer"})
    return int(text)
