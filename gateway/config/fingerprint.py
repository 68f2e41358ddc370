"""What fingerprints of credentials are keyed with: the setting, or a key that is kept beside the store.

Rule    A key of an integration has one name in a store, over restarts too, or whoever looks there takes one sender for
        several. So where the store is a file, a key made once lies beside it, readable by the gateway's user alone.
        Where none can be kept, one lasts as long as the process: the gateway runs all the same.
"""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from gateway.config.settings import Settings
from gateway.config.store import StoreKind

NAME: Final = "fingerprint-key"
SIZE: Final = 32
"""Bytes."""


def fingerprint_key(settings: Settings) -> bytes:
    """Give the key: at most 64 bytes."""
    given, store = settings.identity.fingerprint_key, settings.rejections.store
    if given is not None:
        return hashlib.blake2b(given.reveal().encode()).digest()  # of any length, and what it keys takes 64 bytes
    if store is not None and store.kind is StoreKind.FILE and store.folder is not None:
        try:
            return _kept(store.folder)
        except OSError:
            pass  # read-only, full or somebody else's: the store will tell
    return secrets.token_bytes(SIZE)


def _kept(folder: Path) -> bytes:
    """Read the key in this folder; make it where there is none. Of several that make one, the first one's counts."""
    file = folder / NAME
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, new = tempfile.mkstemp(prefix=f"{NAME}-", dir=folder)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as made:
                made.write(secrets.token_bytes(SIZE))
            os.link(new, file)
        except FileExistsError:
            pass  # another gateway was quicker
        finally:
            Path(new).unlink()
    kept = file.read_bytes()
    if len(kept) != SIZE:
        raise OSError(f"{NAME} is not what the gateway wrote there")
    return kept
