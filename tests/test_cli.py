import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import __version__
from gateway.cli import main

COMMANDS = [
    [],
    ["serve"],
    ["dev"],
    ["ext-proc"],
    ["sandbox"],
    ["health"],
    ["config"],
    ["config", "check"],
    ["config", "show"],
    ["rejections"],
    *(["rejections", command] for command in ("list", "show", "tail", "stats", "export", "purge")),
]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Give a terminal without settings of the machine's own."""
    for name in ("CLOSE_GATEWAY_CONFIG", "CLOSE_GATEWAY_UPSTREAM__URL"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself(runner: CliRunner, command: list[str], flag: str) -> None:
    """Both spellings of the flag work, and a terminal of 80 columns is wide enough."""
    result = runner.invoke(main, [*command, flag], terminal_width=80)
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert max(map(len, result.output.splitlines())) <= 80


def test_the_version(runner: CliRunner) -> None:
    """As a bug report needs it."""
    assert runner.invoke(main, ["--version"]).output == f"close-gateway {__version__}\n"


@pytest.mark.parametrize("command", ["serve", "ext-proc", "rejections list"])
def test_help_is_quick(command: str) -> None:
    """Nothing that only a server needs is loaded to explain a command."""
    code = (
        "import sys; from gateway.cli import main\n"
        "main([*sys.argv[1:], '--help'], standalone_mode=False)\n"
        "sys.exit(str({'aiohttp', 'grpc', 'pydantic', 'structlog', 'orjson', 'rich', 'sqlalchemy'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code, *command.split()], capture_output=True, check=False, text=True)  # noqa: S603 - ours
    assert asked.stderr == "set()\n"


def test_a_fine_configuration(runner: CliRunner, tmp_path: Path) -> None:
    """It is said on standard output, with exit code 0."""
    file = tmp_path / "gateway.toml"
    file.write_text("[upstream]\ntimeout = 5")
    result = runner.invoke(main, ["config", "check", "--config", str(file)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "onfiguration is fine: " in result.stdout


@pytest.mark.parametrize("command", [["config", "check"], ["config", "show"], ["serve"], ["dev"]])
def test_a_bad_configuration(runner: CliRunner, tmp_path: Path, command: list[str]) -> None:
    """Exit code 2, every problem on standard error, nothing on standard output, no traceback."""
    file = tmp_path / "gateway.toml"
    file.write_text('[upstream]\ntimeout = 0\ntimout = 5\n[identity]\nfingerprint_key = "canary"')
    result = runner.invoke(main, [*command, "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    for name in ("upstream.timeout", "upstream.timout", "identity.fingerprint_key"):
        assert f"  {name} (from {file}) " in result.stderr
    assert "canary" not in result.stderr


def test_settings_in_force(runner: CliRunner, tmp_path: Path) -> None:
    """They are shown with their sources and without their secrets."""
    file = tmp_path / "gateway.toml"
    file.write_text('[identity]\nfingerprint_key = "canary-canary-canary"')
    result = runner.invoke(
        main, ["config", "show"], env={"CLOSE_GATEWAY_CONFIG": str(file), "CLOSE_GATEWAY_LOG__LEVEL": "error"}
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert f'fingerprint_key = "***"  # from {file}\n' in result.stdout
    assert 'level = "error"  # from CLOSE_GATEWAY_LOG__LEVEL\n' in result.stdout


@pytest.mark.parametrize("command", [["serve", "--prot", "1"], ["sandbox", "--listen", "x"], ["config", "chekc"]])
def test_a_wrong_call(runner: CliRunner, command: list[str]) -> None:
    """Exit code 2, as for a bad configuration."""
    assert runner.invoke(main, command).exit_code == 2
