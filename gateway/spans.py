"""What a traced request tells of itself on its way. Who makes spans of it is gateway.traces, where traces are on."""

from typing import Protocol


class Call(Protocol):
    """A question of the gateway's own to Close."""

    @property
    def lines(self) -> bytes:
        """Header lines, each with its CRLF, that hand the trace on."""

    def end(self, status: int | None, error: str | None) -> None:
        """Tell the answer's status, where one came, and the code of what went wrong."""


class Lookup(Protocol):
    """Something that a request needs to know and waits for, whoever asks for it."""

    def ask(self) -> Call:
        """Tell that Close is asked now."""

    def end(self, outcome: str) -> None:
        """Tell that it is known, or why not, in one of a few fixed words."""


class Trace(Protocol):
    """What happens to one request, told by those who deal with it."""

    def lookup(self, kind: str) -> Lookup:
        """Tell that something has to be known first."""

    def forwarded(self) -> bytes:
        """Tell that it goes up now. Gives header lines, each with its CRLF, that hand the trace on."""

    def resent(self) -> None:
        """Tell that it goes up a second time, over a connection of its own."""

    def answered(self, status: int) -> None:
        """Tell that the upstream's answer has begun."""

    def failed(self, code: str) -> None:
        """Tell what kept it from its answer, or the answer from its end."""

    def end(self) -> None:
        """Tell that it is over, however it ended."""
