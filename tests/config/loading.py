"""What the tests of loading share: files written for them, and the problems that come of them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.config.problem import BadConfiguration, Problem

CANARY = "canary-3c1f"
KEY = "identity.fingerprint_key"
KEY_VARIABLE = "CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY"


def written(folder: Path, text: str | bytes) -> Path:
    """Write a configuration file."""
    file = folder / "gateway.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def problems_of(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> list[Problem]:
    """Load what must not be loaded."""
    with pytest.raises(BadConfiguration) as bad:
        load(file, environ or {}, flags or {})
    assert bad.value.code == "bad_configuration"
    return list(bad.value.problems)
