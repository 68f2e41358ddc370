"""The certificate in force, and a look at its files now and then.

Rule    Who shakes hands from now on sees the new pair; connections that are open go on with theirs. A pair that cannot
        be used changes nothing, and is told once.
Needs   Files that may be replaced in any way: written over, renamed into place, or behind a link that is bent to
        another folder, as Kubernetes does it. Between two looks only one of the two may be new.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Final, TypeAlias

from structlog.typing import FilteringBoundLogger

from gateway.config.tls import CertificateUnusable, server_context

PERIOD: Final = 2.0
"""Seconds between two looks."""

Stamp: TypeAlias = tuple[tuple[int, ...] | None, ...]
"""By what a file behind its links is known to be the same; None for one that cannot be found."""


class Certificate:
    """A pair of files, and the TLS context made of them last. Reads them at once. Raises CertificateUnusable."""

    def __init__(self, certificate: Path, key: Path, log: FilteringBoundLogger) -> None:
        self._files = (certificate, key)
        self._log = log
        self._used = self._stamp()
        self._failed: Stamp | None = None
        self._told: Stamp | None = None
        self.context: ssl.SSLContext = server_context(certificate, key)
        """For the next handshake."""

    def renew(self, log: FilteringBoundLogger) -> None:
        """Have what is told from now on logged there."""
        self._log = log

    async def follow(self) -> None:
        """Look every few seconds, until cancelled. Files may be on a disk that is slow, so a thread does it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PERIOD)
            self.tell(await loop.run_in_executor(None, self.look))

    def tell(self, found: ssl.SSLContext | CertificateUnusable | None) -> None:
        """Put what was found in force, or log what is wrong with it."""
        if isinstance(found, CertificateUnusable):
            self._log.error("tls_certificate_unusable", setting=found.setting, reason=found.what)
        elif found is not None:
            self.context = found
            self._log.info("tls_certificate_reloaded", certificate=str(self._files[0]))

    def look(self) -> ssl.SSLContext | CertificateUnusable | None:
        """Give what has become of the files: a new context, what is wrong, or None where there is nothing to tell."""
        stamp = self._stamp()
        if stamp == self._used:
            self._failed = self._told = None
            return None
        if stamp == self._told:
            return None
        try:
            context = server_context(*self._files)
        except CertificateUnusable as unusable:
            # One of the two may just be on its way: it is wrong where it still is so at the next look.
            if stamp == self._failed:
                self._told = stamp
                return unusable
            self._failed = stamp
            return None
        self._used = stamp  # as it was before it was read: what has changed since is seen at the next look
        return context

    def _stamp(self) -> Stamp:
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
