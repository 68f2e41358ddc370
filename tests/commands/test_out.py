import sys

import pytest

from gateway.commands.failures import Unconfigured
from gateway.commands.out import out, writing


def test_an_output_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has none then; whoever wants to write is told so, with exit code 2."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(Unconfigured, match=r"^Standard output is closed\.$") as raised:
        out()
    assert raised.value.exit_code == 2


def test_a_pipe_that_is_closed() -> None:
    """Whoever reads has had enough: that is click's to end quietly."""
    with pytest.raises(BrokenPipeError), writing():
        raise BrokenPipeError(32, "Broken pipe")
