"""SIGHUP, from the first moment on: it asks for the configuration to be read anew, and must not end the process.

Imported before anything that takes time.
"""

import signal
from collections.abc import Callable


class Hangups:
    """Holds on to the signal until somebody can act on it."""

    def __init__(self) -> None:
        self._came = False
        signal.signal(signal.SIGHUP, self._note)

    def _note(self, *_: object) -> None:
        self._came = True

    def hand_over(self, act: Callable[[], None]) -> None:
        """Have it acted on from now on, by the running event loop; and at once where it came before."""
        import asyncio  # here, as --help needs none

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, act)
        if self._came:
            act()
