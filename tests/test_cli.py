import re
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
    ["check"],
    ["health"],
    ["reload"],
    ["completion"],
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
@pytest.mark.parametrize(("flag", "width"), [("-h", 80), ("--help", 60)])
def test_every_command_explains_itself(runner: CliRunner, command: list[str], flag: str, width: int) -> None:
    """Both spellings of the flag work, a narrow terminal is wide enough, and no sentence is cut off."""
    result = runner.invoke(main, [*command, flag], terminal_width=width)
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert max(map(len, result.output.splitlines())) <= width
    assert not re.search(r"\w\.\.\.$", result.output, re.MULTILINE)


def test_the_version(runner: CliRunner) -> None:
    """As a bug report needs it."""
    assert runner.invoke(main, ["--version"]).output == f"close-gateway {__version__}\n"


@pytest.mark.parametrize("command", ["serve", "ext-proc", "check", "rejections list"])
def test_help_is_quick(command: str) -> None:
    """Nothing that only a server needs is loaded to explain a command."""
    code = (
        "import sys; from gateway.cli import main\n"
        "main([*sys.argv[1:], '--help'], standalone_mode=False)\n"
        "heavy = {'aiohttp', 'asyncio', 'grpc', 'pydantic', 'structlog', 'orjson', 'rich', 'sqlalchemy'}\n"
        "sys.exit(str(heavy & set(sys.modules)))"
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


MISTAKES = [
    (["serv"], "No such command 'serv'. Did you mean 'serve'?"),
    (["rejections", "lst"], "No such command 'lst'. Did you mean 'list'?"),
    (["dev", "--upstrem", "x"], "No such option '--upstrem'. Did you mean '--upstream'?"),
    (["--listen", "x", "dev"], "--listen belongs behind a command: close-gateway dev --listen"),
    (["rejections", "--json", "list"], "--json belongs behind a command: close-gateway rejections export --json"),
    (["--lisen", "x", "dev"], "No such option '--lisen'."),
]


@pytest.mark.parametrize(("command", "told"), MISTAKES)
def test_a_mistake_is_met_with_what_was_meant(runner: CliRunner, command: list[str], told: str) -> None:
    """A newcomer finds the name, and the place, without the help."""
    result = runner.invoke(main, command, prog_name="close-gateway")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"Error: {told}")


@pytest.mark.parametrize("command", [["help"], ["rejections", "help"]])
def test_help_is_taken_for_what_it_says(runner: CliRunner, command: list[str]) -> None:
    """It is no command, and yet what many try first."""
    asked, flag = (runner.invoke(main, [*command[:-1], word]) for word in ("help", "--help"))
    assert (asked.exit_code, asked.stdout) == (0, flag.stdout)


@pytest.mark.parametrize("command", ["sandbox", "dev"])
def test_a_bad_seed(runner: CliRunner, tmp_path: Path, command: str) -> None:
    """Exit code 2, and every problem on standard error with what mends it."""
    file = tmp_path / "seed.json"
    file.write_text('{"users": [{"email": "ann@example.com", "api_kee": "canary"}], "leeds\\u001bm": 7}')
    result = runner.invoke(main, [command, "--seed", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"close-gateway: 2 problems in {file}:",
        "  users[0].api_kee is not known: did you mean api_key?",
        "  leeds\N{REPLACEMENT CHARACTER}m is not known: did you mean leads?",
    ]


@pytest.mark.parametrize(
    ("command", "flag", "problem"),
    [
        (["sandbox", "--now", "noon"], "--now", "it is no time. Give one such as 2026-03-01T09:00:00Z."),
        (["sandbox", "--host", "sandbox:8090"], "--host", "it is no name. Give one such as sandbox, without a port."),
        (["sandbox", "--now", "1900-01-01"], "--now", "it has to be between the years 1970 and 2999."),
        (["dev", "--seed", "x.json", "--upstream", "http://127.0.0.1:1"], "--seed", "give one of both."),
    ],
)
def test_a_flag_that_cannot_be(runner: CliRunner, command: list[str], flag: str, problem: str) -> None:
    """It is named, with what would do."""
    result = runner.invoke(main, command)
    assert (result.exit_code, flag in result.stderr, problem in result.stderr) == (2, True, True)


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--prot", "1"],
        ["sandbox", "--listen", "x"],
        ["sandbox", "--rate-limit", "fast"],
        ["dev", "--tls-listen", "x"],
        ["config", "chekc"],
        ["dev", "--quiet", "--json"],
    ],
)
def test_a_wrong_call(runner: CliRunner, command: list[str]) -> None:
    """Exit code 2, as for a bad configuration."""
    assert runner.invoke(main, command).exit_code == 2
