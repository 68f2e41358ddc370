"""The commands as a user runs them: processes of their own, their output read, their exit codes looked at."""

import base64
import http.client
import itertools
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest

import gateway.sandbox

EXAMPLE = Path(gateway.sandbox.__file__).parent / "example.json"
START = 20.0
"""Seconds that a command may take to say that it is ready; on a busy machine Python alone takes some."""


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run close-gateway, and see that it is gone afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    limit = threading.Timer(3 * START, process.kill)  # else a line that never comes would be waited for without end
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()
        process.communicate(timeout=START)


def read_until(stream: IO[str] | None, last: str) -> str:
    """Read the lines up to the one that holds `last`."""
    assert stream is not None
    text = ""
    for line in stream:
        text += line
        if last in line:
            return text
    raise AssertionError(f"the output ended without {last!r}:\n{text}")


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Send the signal and give exit code, the rest of the output and the errors."""
    process.send_signal(number)
    out, err = process.communicate(timeout=START)
    return process.returncode, out, err


def as_curl(command: str) -> tuple[int, str | None, dict[str, object]]:
    """Do what a curl line says; give status, mark and JSON."""
    words = shlex.split(command.replace("\\\n", " "))
    given = dict(itertools.pairwise(words))
    url = next(word for word in words if word.startswith("http"))
    parts = urlsplit(url)
    name, value = given["-H"].split(": ")
    headers = {name: value, "Authorization": "Basic " + base64.b64encode(given["-u"].encode()).decode()}
    connection = http.client.HTTPConnection(parts.netloc, timeout=START)
    connection.request(given["-X"], parts.path, given["-d"], headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, answer.getheader("X-Close-Gateway"), body


def test_dev_prints_four_requests_that_do_what_they_say() -> None:
    """A newcomer pastes the lines and sees each verdict; Ctrl-C ends it cleanly."""
    with started("dev", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0") as process:
        text = read_until(process.stdout, "Ctrl-C")
        assert "api_jane_sandbox_key" in text
        assert "Jane Roe <jane@example.com>" in text
        commands = re.findall(r"curl .*?'$", text, re.DOTALL | re.MULTILINE)
        answers = [as_curl(command) for command in commands]
        code, _, err = stopped(process, signal.SIGINT)
    assert [(status, mark) for status, mark, _ in answers] == [
        (400, "rejected; sender_required"),
        (200, "filled; sender"),
        (200, "forwarded"),
        (400, "rejected; sender_required"),
    ]
    assert answers[1][2]["sender"] == "jane@example.com"
    assert (code, err) == (0, "")


def test_what_dev_prints_is_about_what_it_was_seeded_with() -> None:
    """The keys, the lead and the draft of the file stand in the lines to paste, and they do what they say."""
    with started("dev", "--seed", str(EXAMPLE), "--listen", "127.0.0.1:0", "--admin", "off") as process:
        text = read_until(process.stdout, "Ctrl-C")
        assert re.findall(r"api_\w+_key", text)[:2] == ["api_ann_key", "api_bob_key"]
        answers = [as_curl(command) for command in re.findall(r"curl .*?'$", text, re.DOTALL | re.MULTILINE)]
        code, _, err = stopped(process, signal.SIGINT)
    assert [status for status, _, _ in answers] == [400, 200, 200, 400]
    assert [answers[1][2][name] for name in ("sender", "lead_id")] == ["ann@example.com", "lead_Acme"]
    assert (code, err) == (0, "")


def test_a_sandbox_with_a_clock_of_its_own() -> None:
    """The flag stands over the file; what is due by then has been sent."""
    with started("sandbox", "--seed", str(EXAMPLE), "--now", "2026-06-01", "--listen", "127.0.0.1:0") as process:
        url = re.findall(r"http://127\.0\.0\.1:\d+", read_until(process.stdout, "listens"))[0]
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=START)
        connection.request("GET", "/sandbox/state")
        state = json.loads(connection.getresponse().read())
        connection.close()
        assert stopped(process, signal.SIGTERM)[0] == 0
    assert state["now"].startswith("2026-06-01T00:0")
    assert {lead["date_created"][:10] for lead in state["leads"]} == {"2026-06-01"}
    assert [email["status"] for email in state["emails"]] == ["inbox", "sent", "draft"]


def test_dev_shows_what_comes_and_records_it(tmp_path: Path) -> None:
    """The rule in a sentence and the line to change, without colours for a pipe; the archive is whole at any time."""
    file = tmp_path / "session.har"
    flags = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--record", str(file))
    with started("dev", *flags) as process:
        commands = re.findall(r"curl .*?'$", read_until(process.stdout, "Ctrl-C"), re.DOTALL | re.MULTILINE)
        as_curl(commands[0])
        text = read_until(process.stdout, '"status": "outbox"')
        code, rest, err = stopped(process, signal.SIGINT)
    assert (code, err) == (0, "")
    assert re.search(
        r"rejected  400 POST /api/v1/activity/email/  gateway [0-9.]+ m?s\n"
        r'  sender_required  An email with status "outbox" needs a sender: add .*\n'
        r"    \{\n"
        r'  \+   "sender": "Jane Roe <jane@example\.com>",\n',
        text,
        re.DOTALL,
    )
    assert "\x1b" not in text + rest
    assert "request_rejected" not in text + rest
    told = "".join(rest.split())  # it is broken into lines, as wide as the terminal is
    assert "Emailwrites:1rejected." in told
    assert f"Recorded1requestto{file}." in told
    (entry,) = json.loads(file.read_bytes())["log"]["entries"]
    assert (entry["response"]["status"], entry["_closeGateway"]["done"]) == (400, "rejected; sender_required")
    assert "api_jane" not in file.read_text()


def test_dev_logs_as_serve_does_where_it_is_asked_to() -> None:
    """With --json nothing is shown: what is for reading goes to standard error."""
    with started("dev", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0") as process:
        commands = re.findall(r"curl .*?'$", read_until(process.stderr, "Ctrl-C"), re.DOTALL | re.MULTILINE)
        as_curl(commands[0])
        code, out, err = stopped(process, signal.SIGINT)
    assert (code, err) == (0, "")
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events == ["gateway_started", "request_rejected", "gateway_stopping", "gateway_stopped"]
    assert "lead@example.net" not in out


def test_serve_in_front_of_a_sandbox() -> None:
    """Both as processes of their own: JSON lines only, nothing secret in them, and SIGTERM ends both cleanly."""
    with started("sandbox", "--listen", "127.0.0.1:0") as sandbox:
        url = re.findall(r"http://127\.0\.0\.1:\d+", read_until(sandbox.stdout, "listens"))[0]
        with started(
            "serve", "--upstream", url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--mode", "enforce"
        ) as process:
            first = json.loads(read_until(process.stdout, "gateway_started"))
            body = json.dumps(
                {"lead_id": "lead_1", "status": "outbox", "subject": "CANARY-SUBJECT", "to": ["canary@example.org"]}
            )
            status, mark, _ = as_curl(
                f"curl -u CANARY-KEY: -X POST http://{first['listen']}/api/v1/activity/email/ -H 'A: b' -d '{body}'"
            )
            asked = subprocess.run(  # noqa: S603 - our own command
                [sys.executable, "-m", "gateway", "health", "--admin", first["admin"]],
                capture_output=True,
                check=False,
                timeout=START,
            )
            code, out, err = stopped(process, signal.SIGTERM)
        assert stopped(sandbox, signal.SIGTERM)[0] == 0
    assert (status, mark, code, err) == (400, "rejected; sender_required", 0, "")
    assert (asked.returncode, json.loads(asked.stdout)["counts"]) == (0, {"rejected": 1})
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["request_rejected", "gateway_stopping", "gateway_stopped"]
    assert not re.search("canary", out, re.IGNORECASE)


def test_a_sandbox_is_told_its_limit_and_its_names() -> None:
    """Its welcome says where its page is and whose keys work; what it prints to try works; Ctrl-C ends it cleanly."""
    with started("sandbox", "--listen", "127.0.0.1:0", "--rate-limit", "7/5s", "--host", "close.test") as process:
        text = read_until(process.stdout, "Ctrl-C")
        page = re.findall(r"what it holds: http://(\S+)/", text)[0]
        assert "api_mary_sandbox_key  Mary Major <mary@example.org>" in text
        assert f"Try it: curl -u api_jane_sandbox_key: http://{page}/api/v1/me/\n" in text
        connection = http.client.HTTPConnection(page, timeout=START)
        connection.request("GET", "/sandbox/limits", headers={"Host": "close.test"})
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"rate": "7/5s"})
        connection.close()
        code, _, err = stopped(process, signal.SIGINT)
    assert (code, err) == (0, "")


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    """Exit code 1, one line, no traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for arguments in (
            ("serve", "--listen", f"127.0.0.1:{port}", "--admin", "off"),
            ("dev", "--admin", f"127.0.0.1:{port}", "--listen", "127.0.0.1:0"),
            ("sandbox", "--listen", f"127.0.0.1:{port}"),
        ):
            with started(*arguments) as process:
                out, err = process.communicate(timeout=START)
            assert process.returncode == 1
            assert err.startswith(f"close-gateway: 127.0.0.1:{port} is taken by another program.")
            assert err.count("\n") == 1
            assert "gateway_started" not in out


def test_health_of_nobody() -> None:
    """Where no gateway answers, exit code 1 and a sentence."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with started("health", "--admin", f"127.0.0.1:{port}") as process:
            _, err = process.communicate(timeout=START)
    assert process.returncode == 1
    assert err.startswith(f"close-gateway: No gateway answers at 127.0.0.1:{port}")


@pytest.mark.parametrize("command", ["serve", "dev"])
def test_a_bad_configuration_is_told_whole(command: str) -> None:
    """Exit code 2, and every problem with its fix, before any port is opened."""
    with started(command, "--mode", "strict", "--upstream", "api.close.com", "--listen", "8080") as process:
        out, err = process.communicate(timeout=START)
    assert process.returncode == 2
    assert out == ""
    for setting in ("inspect.mode", "upstream.url", "listener.listen"):
        assert setting in err


def test_the_help_of_reload_tells_whom_it_asks() -> None:
    """By default the admin listener of the settings; unlike the log of rejections, no store will do."""
    shown = subprocess.run(
        [sys.executable, "-m", "gateway", "reload", "--help"], capture_output=True, text=True, timeout=START, check=True
    ).stdout
    assert "The admin listener to ask. [as the settings say]" in " ".join(shown.split())


def test_who_is_told_to_stop_while_it_starts_stops_in_good_order(tmp_path: Path) -> None:
    """A cache that does not answer holds the start up for a moment; the socket's file is gone afterwards."""
    file, path = tmp_path / "gateway.toml", tmp_path / "gateway.sock"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(START)
        file.write_text(
            f'[listener]\nlisten = "unix:{path}"\n[identity]\nfingerprint_key = "a key of the tests"\n'
            f'cache = "redis://127.0.0.1:{silent.getsockname()[1]}"\n[rejections]\nstore = "off"\n'
        )
        with started("serve", "--config", str(file), "--admin", "off") as process:
            asking, _ = silent.accept()
            with asking:
                code, out, err = stopped(process, signal.SIGTERM)
    assert (code, err) == (0, "")
    assert [json.loads(line)["event"] for line in out.splitlines()][-1] == "gateway_stopped"
    assert not path.exists()
