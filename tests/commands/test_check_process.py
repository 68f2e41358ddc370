"""close-gateway check as a process: what a shell, a terminal and Ctrl-C do to it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands.checks import BROKEN, FINE, REFUSED

WAIT = 20.0


@contextmanager
def started(*arguments: str, **given: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run it, and see that it is gone afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", "check", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A shell has what it runs in the background ignore Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread of ours runs yet
        **given,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


CLOSED = [  # how a shell calls it, and what it is told
    ("</dev/null >/dev/full", "close-gateway: What is found cannot be written: no space left on device.\n"),
    ("<&-", "close-gateway: Standard input is closed: name a file.\n"),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing here is full")
@pytest.mark.parametrize(("redirected", "told"), CLOSED)
def test_where_nothing_can_be_read_or_written(redirected: str, told: str) -> None:
    """It says so, and exits with 2: 1 would tell of a payload that is rejected."""
    call = f'"{sys.executable}" -m gateway check --json - {redirected}'
    ended = subprocess.run(["/bin/sh", "-c", call], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (ended.returncode, ended.stderr.splitlines(keepends=True)[-1], ended.stdout) == (2, told, "")
    assert "Traceback" not in ended.stderr


def test_ctrl_c_ends_it_with_what_it_has() -> None:
    """Exit code 130, how far it came, and no traceback."""
    with started("--json", stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(f"{REFUSED}\n{BROKEN}\n".encode())
        process.stdin.flush()
        assert process.stderr.readline().startswith(b"stdin:2:12: ")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 130
    assert err == b"Stopped. 1 payload: 1 rejected, 0 filled, 0 forwarded; 1 unreadable\n"
    assert json.loads(out.splitlines()[0])["verdict"] == "rejected"


def test_whoever_takes_only_the_head_hears_no_complaint(tmp_path: Path) -> None:
    """A pipe that is closed ends it quietly."""
    (tmp_path / "a.jsonl").write_text(f"{FINE}\n" * 20_000)
    with started("--json", str(tmp_path / "a.jsonl"), stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=WAIT)
    assert err == b""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no terminal to be made")
def test_a_large_file_has_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """On standard error alone; what is told meanwhile stands on lines of its own, and the bar is gone in the end."""
    import pty

    body = json.dumps({"lead_id": "lead_1", "status": "draft", "body_text": "x" * 9_000})
    (tmp_path / "a.jsonl").write_text(f"{body}\n" * 2_000 + f"{BROKEN}\n{REFUSED}\n")
    terminal, end = pty.openpty()
    with started(
        str(tmp_path / "a.jsonl"), stderr=end, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    ) as process:
        os.close(end)
        shown = b"".join(_read(terminal))
        out, _ = process.communicate(timeout=WAIT)
    assert b"MB" in shown
    assert re.search(rb"[\r\n](\x1b\[[0-9;?]*[a-zA-Z])*\S*a\.jsonl:2001:12: ", shown)
    assert shown.count(b"\x1b[?25l") == shown.count(b"\x1b[?25h")  # the cursor is back
    assert out.startswith(f"{tmp_path}/a.jsonl:2002  rejected".encode()[:60])
    assert b"\x1b" not in out


def _read(terminal: int) -> Iterator[bytes]:
    try:
        while piece := os.read(terminal, 65_536):
            yield piece
    except OSError:  # Linux: nobody has the other end any more
        return
    finally:
        os.close(terminal)
