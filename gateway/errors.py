"""What can go wrong with the gateway itself."""

from typing import ClassVar


class GatewayError(Exception):
    """The base of all errors of the gateway. Its text may be shown: it never holds what a client sent."""

    code: ClassVar[str]
    """Stays the same over versions; logs and answers carry it."""
