"""close-gateway ext-proc, before it serves. What it does then, tests/extproc holds over gRPC."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.commands import ext_proc


def test_what_it_needs_may_not_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setattr(ext_proc, "NEEDED", ("grpc", "envoy_that_is_not.service"))
    result = CliRunner().invoke(main, ["ext-proc"])
    assert (result.exit_code, result.stderr) == (
        1,
        "close-gateway: What speaks to Envoy is not installed. Install close-gateway[envoy].\n",
    )


def test_a_bad_configuration_is_told_as_by_serve(tmp_path: Path) -> None:
    """Every problem, and exit code 2."""
    file = tmp_path / "gateway.toml"
    file.write_text("[listener]\nlisten = 1\n", "utf-8")
    result = CliRunner().invoke(main, ["ext-proc", "--config", str(file)])
    assert (result.exit_code, "listener.listen" in result.stderr) == (2, True)
