"""Bodies made of a token, so that a piece of one can be told from a piece of any other."""

from collections.abc import AsyncIterable


class Mixed(Exception):
    """A message holds what belongs to another one."""


def pattern(token: str, length: int) -> bytes:
    """Give a body of this length: the token again and again."""
    unit = f"{token}|".encode()
    return (unit * (length // len(unit) + 1))[:length]


async def check_pattern(token: str, pieces: AsyncIterable[bytes]) -> int:
    """Read a body and tell its length. Raises Mixed where it is not the token's."""
    unit = f"{token}|".encode()
    length = 0
    async for piece in pieces:
        start = length % len(unit)
        expected = (unit * ((start + len(piece)) // len(unit) + 1))[start : start + len(piece)]
        if piece != expected:
            raise Mixed(f"In a body of {token}, at {length}: {piece[:200]!r}")
        length += len(piece)
    return length
