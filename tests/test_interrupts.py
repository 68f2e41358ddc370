"""Ctrl-C at any moment: exit code 130 where it cuts a command off, 0 where a server stops, and never a traceback."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_commands import START, read_until, started, stopped

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
FREE = "127.0.0.1:0"
CAREFUL = """
import time
from gateway.interrupts import careful, heed
heed()
with careful():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("put in order")
"""
IGNORING = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from gateway.interrupts import careful, heed
heed()
with careful():
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
"""


def test_while_modules_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that takes time is click: one that never comes to an end stands in for a slow disk."""
    (tmp_path / "click.py").write_text("import time\nprint('imported', flush=True)\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[1]}")
    with started("dev") as process:
        read_until(process.stdout, "imported")
        assert stopped(process, signal.SIGINT) == (130, "", "")


@pytest.mark.parametrize("command", ["list", "tail"])
def test_while_a_command_works(command: str) -> None:
    """Here it waits for a gateway that does not answer. To end a tail so is its regular end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(START)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with started("rejections", command, "--admin", url) as process:
            asking, _ = silent.accept()
            with asking:
                asking.recv(1024)
                assert stopped(process, signal.SIGINT) == (0 if command == "tail" else 130, "", "")


def test_whoever_has_something_to_put_in_order_can() -> None:
    """The command ends with 130 all the same."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", CAREFUL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        read_until(process.stdout, "ready")
        assert stopped(process, signal.SIGINT) == (130, "put in order\n", "")


def test_who_was_started_to_ignore_it_does() -> None:
    """As a shell starts what is to run in the background."""
    subprocess.run([sys.executable, "-c", IGNORING], check=True, timeout=START)  # noqa: S603 - our own command


@pytest.mark.parametrize("answered", [True, False])
def test_with_a_request_in_flight(*, answered: bool) -> None:
    """The first lets it come to its end; a second ends the process as the signal does, and with as few words."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        upstream.settimeout(START)
        url = f"http://127.0.0.1:{upstream.getsockname()[1]}"
        with started("dev", "--upstream", url, "--listen", FREE, "--admin", "off") as process:
            port = int(read_until(process.stdout, "listens on").rpartition(":")[2].partition("/")[0])
            read_until(process.stdout, "Ctrl-C stops it.")
            with socket.create_connection(("127.0.0.1", port), timeout=START) as client:
                client.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                asked, _ = upstream.accept()
                with asked:
                    assert asked.recv(1024).startswith(b"GET /x HTTP/1.1\r\n")
                    process.send_signal(signal.SIGINT)
                    text = " ".join(read_until(process.stdout, "once.").split())  # the last word, however wide it is
                    assert text.endswith("it waits up to 30 s for 1 request. Ctrl-C again ends it at once.")
                    if answered:
                        asked.sendall(ANSWER)
                        with client.makefile("rb") as answer:
                            assert answer.read().endswith(b"late")
                        out, err = process.communicate(timeout=START)
                        assert (process.returncode, err, "has stopped." in " ".join(out.split())) == (0, "", True)
                    else:
                        assert stopped(process, signal.SIGINT) == (-signal.SIGINT, "", "")
