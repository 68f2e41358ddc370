"""`serve --workers` as a user runs it: the supervisor and its workers, their log, their end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.test_commands import START, read_until, started

FLAGS = ("--workers", "2", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")


@contextmanager
def two_workers(file: Path, text: str = "") -> Iterator[tuple["subprocess.Popen[str]", list[dict[str, Any]]]]:
    """Run the command, and give the events of its start."""
    file.write_text(f'{text}[rejections]\nstore = "off"\n[upstream]\nurl = "http://127.0.0.1:9"\n')
    with started("serve", "--config", str(file), *FLAGS) as process:
        events = [json.loads(line) for line in read_until(process.stdout, "gateway_started").splitlines()]
        yield process, events


def pids(events: list[dict[str, Any]]) -> list[int]:
    """Tell the workers' ids."""
    return [event["pid"] for event in events if event["event"] == "worker_started"]


def gone(pid: int) -> bool:
    """Wait until there is no such process; whether it came to that."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8"):
                time.sleep(0.02)
                continue
        return True
    return False


def port_of(events: list[dict[str, Any]]) -> int:
    """Tell where it listens."""
    return int(events[-1]["listen"].rpartition(":")[2])


def test_sigterm_ends_all(tmp_path: Path) -> None:
    """With 0, nothing on standard error, and lines of JSON alone; a hangup in between is a reload."""
    with two_workers(tmp_path / "gateway.toml") as (process, events):
        (tmp_path / "gateway.toml").write_text('[inspect]\nmode = "report"\n[rejections]\nstore = "off"\n')
        process.send_signal(signal.SIGHUP)
        reloaded = json.loads(read_until(process.stdout, "config_reloaded"))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=START)
    assert reloaded["changed"] == {"upstream.url": "https://api.close.com", "inspect.mode": "report"}
    assert (process.returncode, err) == (0, "")
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["gateway_stopping", "gateway_stopped"]
    assert events[-1]["workers"] == len(pids(events)) == 2
    assert all(map(gone, pids(events)))


def test_without_a_supervisor_workers_end(tmp_path: Path) -> None:
    """It is killed: they finish and go, and the port is free. One that was told to end by itself had been replaced."""
    with two_workers(tmp_path / "gateway.toml") as (process, events):
        os.kill(pids(events)[0], signal.SIGTERM)
        later = [json.loads(line) for line in read_until(process.stdout, "worker_started").splitlines()]
        assert (later[0]["event"], later[0]["exit_code"]) == ("worker_died", 0)
        events[:0] = later
        process.kill()
        process.wait(START)
        assert all(map(gone, pids(events)))
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port_of(events)))
            again.listen()


def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    """Whatever is in flight: here a request whose body never ends."""
    with (
        two_workers(tmp_path / "gateway.toml", "[listener]\nbody_timeout = 3600.0\n") as (process, events),
        socket.create_connection(("127.0.0.1", port_of(events))) as client,
    ):
        client.sendall(b"POST /api/v1/activity/email/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        read_until(process.stdout, "gateway_stopping")
        process.send_signal(signal.SIGTERM)
        process.wait(START)
        assert all(map(gone, pids(events)))
    assert process.returncode == -signal.SIGTERM
