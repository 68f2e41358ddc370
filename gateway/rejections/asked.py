"""Pure: what somebody asks, from the texts of a query or of flags. All that is wrong with it is found at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Final, TypeVar

from gateway.errors import GatewayError
from gateway.rejections.query import MOST, Bucket, Cursor, CursorMalformed, FilterInvalid, Filters
from gateway.rejections.times import WANTED, parse_time

T = TypeVar("T")
FILTERS: Final = Filters.__slots__
TIMES: Final = frozenset({"since", "until"})
LAST_ID: Final = 19
"""Digits of the number of an entry."""
SHOWN: Final = 64
"""Characters of an unknown name that are told."""


class AskedAmiss(GatewayError):
    """Something in a question cannot be understood. `fields` says what, by the name of the parameter."""

    code: ClassVar[str] = "asked_amiss"
    status: ClassVar[int] = 400

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


class Asked:
    """The parameters of a question. Taken one by one; `done` tells what was wrong with them.

    `given` may name one twice, as a query may: that is wrong too.
    """

    def __init__(self, given: Iterable[tuple[str, str]], *, now: int) -> None:
        self._now = now
        self._given: dict[str, str] = {}
        self._wrong: dict[str, str] = {}
        for name, value in given:
            if name in self._given:
                self._wrong[name] = f"The parameter {_shown(name)} is given twice."
            self._given[name] = value

    def filters(self) -> Filters:
        """Take all filters."""
        found: dict[str, str | int] = {}
        for name in FILTERS:
            text = self._given.pop(name, None)
            if text is None:
                continue
            try:
                value = self._time(name, text) if name in TIMES else text
                Filters(**{name: value})  # type: ignore[arg-type]  # by name, so each has its own type
            except FilterInvalid as wrong:
                self._wrong[name] = str(wrong)
            else:
                found[name] = value
        return Filters(**found)  # type: ignore[arg-type]  # as above

    def cursor(self) -> str | None:
        """Take the cursor."""
        text = self._given.get("cursor")
        try:
            if text is not None:
                Cursor.parse(text)
        except CursorMalformed as wrong:
            self._wrong["cursor"] = str(wrong)
        return self._given.pop("cursor", None)

    def limit(self, default: int = 50) -> int:
        """Take the number of rows of a page."""

        def read(text: str) -> int:
            if not text.isascii() or not text.isdigit() or not 1 <= int(text[: len(str(MOST)) + 1]) <= MOST:
                raise ValueError
            return int(text)

        return self._one("limit", default, read, f"a whole number from 1 to {MOST}")

    def bucket(self) -> Bucket:
        """Take the length of the steps of a series."""
        return self._one("bucket", Bucket.HOUR, Bucket, "hour, day or week")

    def last_event_id(self, header: str | None) -> int | None:
        """Take the number of the entry that somebody had last; the header of that name says it too."""

        def read(text: str) -> int:
            if not text.isascii() or not text.isdigit() or len(text) > LAST_ID:
                raise ValueError
            return int(text)

        if header is not None:  # a browser that comes back sends it, and the address is still the old one
            self._given["last_event_id"] = header
        return self._one("last_event_id", None, read, "the id of an event of this stream")

    def done(self) -> None:
        """Raise AskedAmiss if anything was wrong, or is left that nobody took."""
        known = {*FILTERS, "cursor", "limit", "bucket", "last_event_id"}
        for name in self._given:
            use = "is of no use here" if name in known else "is not known"
            self._wrong[_shown(name)] = f"The parameter {_shown(name)} {use}."
        if self._wrong:
            raise AskedAmiss(self._wrong)

    def _time(self, name: str, text: str) -> int:
        try:
            return parse_time(text, self._now)
        except ValueError:
            raise FilterInvalid(name, WANTED) from None

    def _one(self, name: str, default: T, read: Callable[[str], T], wanted: str) -> T:
        text = self._given.pop(name, None)
        if text is None:
            return default
        try:
            return read(text)
        except ValueError:
            self._wrong[name] = f"The parameter {name} takes {wanted}."
            return default


def _shown(name: str) -> str:
    shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
    return "".join(character if character.isprintable() else "?" for character in shown)
