"""SIGHUP, sent to the commands as they run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.test_commands import START, read_until, started, stopped

TEXT = '[admin]\nlisten = "127.0.0.1:0"\n[listener]\nlisten = "127.0.0.1:0"\n[rejections]\nstore = "off"\n'
REPORT = '[inspect]\nmode = "report"\n'


@contextmanager
def heeding(command: str, file: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a command, and go on as soon as it heeds SIGHUP: long before it serves."""
    with started(command, "--config", str(file)) as process:
        end = time.monotonic() + START
        while time.monotonic() < end:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
            if int(caught, 16) & 1 << signal.SIGHUP - 1:
                break
            time.sleep(0.002)
        yield process


@pytest.mark.parametrize("command", ["serve", "dev"])
def test_the_file_is_read_anew(command: str, tmp_path: Path) -> None:
    """Even where the signal comes before it serves; it goes on serving, and stops cleanly."""
    file = tmp_path / "gateway.toml"
    file.write_text(TEXT + '[log]\nformat = "json"\n')
    with heeding(command, file) as process:
        process.send_signal(signal.SIGHUP)
        read_until(process.stdout, "config_reloaded")
        file.write_text(TEXT + '[log]\nformat = "json"\n' + REPORT)
        process.send_signal(signal.SIGHUP)
        event = json.loads(read_until(process.stdout, "config_reloaded").splitlines()[-1])
        file.write_text("[inspect")
        process.send_signal(signal.SIGHUP)
        rejected = json.loads(read_until(process.stdout, "config_rejected").splitlines()[-1])
        code, _, err = stopped(process, signal.SIGTERM)
    assert event["changed"] == {"inspect.mode": "report"}
    assert len(rejected["problems"]) == 1
    assert code == 0
    if command == "dev":  # whose lines for reading would break those of JSON
        assert err.startswith("Close Gateway listens on")
        assert err.endswith("\nCtrl-C stops it.\n")
    else:
        assert err == ""


def test_the_command(tmp_path: Path) -> None:
    """It prints what changed and what waits with 0, the problems with 2, and that nobody is there with 1.

    Of a change that a flag goes before it says that nothing has changed, and why that may be.
    """
    file = tmp_path / "gateway.toml"
    file.write_text(TEXT)
    with started("serve", "--upstream", "http://127.0.0.1:9", "--config", str(file)) as process:
        admin = json.loads(read_until(process.stdout, "gateway_started").splitlines()[-1])["admin"]

        def reload() -> tuple[int, str, str]:
            done = subprocess.run(  # noqa: S603 - our own command
                [sys.executable, "-m", "gateway", "reload", "--admin", admin],
                capture_output=True,
                check=False,
                text=True,
                timeout=START,
                env=os.environ,
            )
            return done.returncode, done.stdout, done.stderr

        file.write_text(TEXT + '[upstream]\nurl = "http://127.0.0.1:19"\n')
        why = "Flags and variables that the gateway was started with go before its file."
        assert reload() == (0, f"Nothing has changed. {why}\n", "")
        file.write_text(TEXT + REPORT + "[process]\nworkers = 2\n")
        assert reload() == (0, 'inspect.mode = "report"\nprocess.workers changes at a restart\n', "")
        file.write_text(TEXT + REPORT + "max_body = 0\n")
        code, out, err = reload()
        assert (code, out) == (2, "")
        assert err.startswith("close-gateway: Nothing has changed: 1 problem:\n  inspect.max_body (from ")
        stopped(process, signal.SIGTERM)
        assert reload()[0] == 1


def test_the_command_leaves_the_judging_to_the_gateway(tmp_path: Path) -> None:
    """The gateway may have variables that who asks has not: --config tells no more than where to ask."""
    file = tmp_path / "gateway.toml"
    file.write_text(TEXT)
    with started("serve", "--config", str(file)) as process:
        admin = json.loads(read_until(process.stdout, "gateway_started").splitlines()[-1])["admin"]
        known = tmp_path / "elsewhere.toml"
        known.write_text(
            f'[admin]\nlisten = "{admin}"\n[identity]\ncache = "redis://127.0.0.1:1"\n[nothing]\nis = "known"\n'
        )
        for command in ("reload", "health"):
            done = subprocess.run(  # noqa: S603 - our own command
                [sys.executable, "-m", "gateway", command, "--config", str(known)],
                capture_output=True,
                check=False,
                text=True,
                timeout=START,
            )
            assert (done.returncode, done.stderr) == (0, "")
