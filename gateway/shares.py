"""How many connections each of several processes has, in memory that all of them see.

Rule    Each writes its own number alone, and a number is written at once: nothing needs a lock.
"""

import mmap
import os
import tempfile
from typing import Final, Self

NOBODY: Final = 2**31 - 1
"""The number of a process that accepts nothing: nobody leaves a connection to it."""
WIDTH: Final = 4
"""Bytes of a number."""


class Shares:
    """The numbers of `count` processes, in the file of this descriptor, which may be handed on."""

    def __init__(self, descriptor: int, count: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, count * WIDTH)
        self._numbers = memoryview(self._memory).cast("i")

    @classmethod
    def make(cls, count: int) -> Self:
        """Make them; as yet nobody accepts. Raises OSError."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("close-gateway-shares")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, count * WIDTH)
        made = cls(descriptor, count)
        for place in range(count):
            made.of(place).leave()
        return made

    def of(self, place: int) -> "Share":
        """Give the one of this process."""
        return Share(self._numbers, place)

    def close(self) -> None:
        """Let go of the descriptor; the memory goes with the process."""
        os.close(self.descriptor)


class Share:
    """The number of one process among the others'."""

    __slots__ = ("_numbers", "_place")

    def __init__(self, numbers: "memoryview[int]", place: int) -> None:
        self._numbers = numbers
        self._place = place

    def tell(self, connections: int) -> None:
        """Say how many there are now."""
        self._numbers[self._place] = connections

    def leave(self) -> None:
        """Say that this process accepts nothing."""
        self._numbers[self._place] = NOBODY

    @property
    def enough(self) -> bool:
        """Whether another has fewer."""
        return min(self._numbers) < self._numbers[self._place]
