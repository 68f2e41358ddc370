"""Completion, asked for by the shells themselves where they are there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main

TYPED = [  # a line as far as it is typed, what is offered
    ("re", "rejections reload"),
    ("dev --tls", "--tls --tls-listen"),
    ("dev --mode ", "enforce report off"),
    ("rejections list --code sender", "sender_required sender_malformed"),
    ("rejections tail --status s", "scheduled sent"),
    ("completion ", "bash zsh fish"),
]
TRY = """
eval "$(close-gateway completion bash)"
while IFS= read -r line; do
    IFS=' ' read -r -a COMP_WORDS <<< "close-gateway $line"
    [[ $line == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) COMPREPLY=()
    _close_gateway_completion close-gateway
    echo "${COMPREPLY[*]}"
done
"""
HEAVY = {"aiohttp", "pydantic", "structlog", "orjson", "rich", "sqlalchemy", "cryptography"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_what_bash_offers(tmp_path: Path) -> None:
    """Commands, flags, and the values that are known of a flag."""
    command = tmp_path / "close-gateway"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    command.chmod(0o755)
    asked = subprocess.run(  # noqa: S603 - our own command
        ["bash", "--norc", "-c", TRY],  # noqa: S607 - whichever it is
        input="".join(f"{line}\n" for line, _ in TYPED),
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.splitlines() == [offered for _, offered in TYPED]


@pytest.mark.parametrize(("shell", "begins"), [("zsh", "#compdef close-gateway"), ("fish", "function _close_gateway")])
def test_the_script_of_other_shells(shell: str, begins: str) -> None:
    """It is printed for them as well, and asks this command."""
    printed = CliRunner().invoke(main, ["completion", shell], prog_name="close-gateway")
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert printed.stdout.startswith(begins)
    assert f"_CLOSE_GATEWAY_COMPLETE={shell}_complete" in printed.stdout


def test_it_is_quick() -> None:
    """Nothing that only a server needs is loaded between a key and what it brings up."""
    code = (
        "import sys; from gateway.cli import main\n"
        "try: main(prog_name='close-gateway')\n"
        f"except SystemExit: sys.exit(str({HEAVY} & set(sys.modules)))"
    )
    asking = {"COMP_WORDS": "close-gateway rejections list --code s", "COMP_CWORD": "4"}
    asked = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code],
        env={**os.environ, **asking, "_CLOSE_GATEWAY_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout.splitlines()[0] == "plain,sender_required"
    assert asked.stderr == "set()\n"
