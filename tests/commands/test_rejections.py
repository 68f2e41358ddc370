"""close-gateway rejections, over a store and over a gateway."""

import asyncio
import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.commands.source import source
from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry
from gateway.rejections.query import Filters
from gateway.rejections.reader import Reader
from gateway.rejections.shown import FIELDS, entry_json
from gateway.rejections.store import Store
from gateway.secret import Secret
from tests.admin.asking import admin
from tests.commands.asking import STORE, asked, asked_of
from tests.gateways import running
from tests.recording import recording
from tests.rejections.stores import HOUR, NOON, an_entry, filled, many, migrated

ENTRIES = many(450)
TOKEN = "canary-canary-canary"
HOSTILE = an_entry(
    NOON + HOUR,
    id="0" * 31 + "a",
    user_agent="=cmd|' /C calc'!A0 \x1b[31m[bold]",
    owner="@SUM(1)",
    captured='{"subject": "+1\n\x9b31m"}',
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a store lies."""
    return tmp_path / "rejections.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    """The store, with various entries."""
    made = filled(migrated(StoreLocation.parse(str(file))), [*ENTRIES, HOSTILE])
    yield made
    made.close()


def lines(text: str) -> list[object]:
    """Read lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_list_for_programs(file: Path, store: Store) -> None:
    """As many as asked for, filtered, as lines of JSON: the entries as the API gives them."""
    result = asked("list", "--json", "--code", "sender_required", "--status", "outbox", "--limit", "30", store=file)
    wanted = list(Reader(store).export(Filters(code="sender_required", email_status="outbox")))
    assert (result.exit_code, lines(result.stdout)) == (0, [entry_json(entry) for entry in wanted[:30]])
    assert result.stderr.startswith("There are more: raise --limit")


@pytest.mark.parametrize("columns", [60, 140])
@pytest.mark.parametrize("command", [["list", "--limit", "100"], ["show", HOSTILE.id], ["stats"]])
def test_what_people_see(file: Path, store: Store, columns: int, command: list[str]) -> None:
    """It fits the terminal but for what is to be pasted; it has no colour where nobody looks, no escapes, and no blanks
    at the end of a line.
    """
    result = asked(*command, store=file, columns=columns)
    assert result.exit_code == 0
    whole = ("curl ", "  https://")  # to be pasted, or clicked
    assert all(len(line) <= columns for line in result.stdout.splitlines() if not line.startswith(whole))
    assert all(line.isprintable() and line == line.rstrip() for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (60, ["2026-11-24 22:00:00  sender_required  POST outbox", "  {id}  jane@example.com"]),
        (
            90,
            ["2026-11-24 22:00:00  sender_required  POST outbox", "  {id}  jane@example.com  {fp}  10.0.0.1"],
        ),
    ],
)
def test_an_entry_of_the_list_on_a_narrow_terminal(file: Path, store: Store, columns: int, lines: list[str]) -> None:
    """Two lines: when and what; which, and who as far as there is room."""
    entry = an_entry(NOON + 10 * HOUR, owner="jane@example.com", credential="fp:3f9a0c3f9a0c3f9a", client="10.0.0.1")
    filled(store, [entry])
    shown = asked("list", "--limit", "1", store=file, columns=columns).stdout.splitlines()
    assert [line.rstrip() for line in shown] == [line.format(id=entry.id, fp=entry.credential) for line in lines]


@pytest.mark.parametrize("columns", [60, 140, 200])
def test_what_was_only_reported_is_told_without_colours(file: Path, store: Store, columns: int) -> None:
    """It went up to Close, unlike the others."""
    filled(store, [an_entry(NOON + 10 * HOUR, code="send_in_invalid", enforced=False, email_status="sent")])
    shown = asked("list", "--limit", "1", store=file, columns=columns).stdout
    assert re.search(r"send_in_invalid +POST sent, reported", shown)


@pytest.mark.parametrize("columns", [60, 140, 200])
def test_an_id_is_never_cut_off(file: Path, store: Store, columns: int) -> None:
    """Nor is an address of a page: both are for pasting."""
    entry = an_entry(NOON + 10 * HOUR, code="attachment_url_invalid", owner=f"{'jane' * 9}@example.com")
    filled(store, [entry])
    assert entry.id in asked("list", "--limit", "1", store=file, columns=columns).stdout
    shown = asked("show", entry.id, store=file, columns=columns).stdout.splitlines()
    assert "  https://developer.close.com/api/resources/activities/emails/create" in shown


@pytest.mark.parametrize("command", [["list"], ["show", HOSTILE.id], ["stats"]])
def test_no_colour_is_none_at_all(file: Path, store: Store, command: list[str]) -> None:
    """With NO_COLOR a terminal gets no bold or dim letters either."""
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured = asked(*command, store=file, environment=terminal).stdout
    plain = asked(*command, store=file, environment={**terminal, "NO_COLOR": "1"}).stdout
    assert "\x1b[" in coloured
    assert "\x1b" not in plain


@pytest.mark.parametrize("command", ["list", "tail", "stats", "export"])
@pytest.mark.parametrize("flags", [("--json", "--csv"), ("--csv", "--json")])
def test_json_or_csv(command: str, flags: tuple[str, str], file: Path, store: Store) -> None:
    """Both at once is a wrong call, whichever comes first."""
    result = asked(command, *flags, store=file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: Give --json or --csv, not both.\n")


def test_one_rejection(file: Path, store: Store) -> None:
    """It says what to change, with a line to paste; the id of the request finds it too."""
    filled(store, [an_entry(NOON + 2 * HOUR, request_id="canary-request")])
    text = asked("show", "canary-request", store=file, columns=60).stdout
    assert 'An email with status "outbox" needs a sender.' in text
    assert "\ncurl -X POST http://127.0.0.1:8080/api/v1/activity/email/ -u " in text
    found = json.loads(asked("show", HOSTILE.id, "--json", store=file).stdout)
    assert (found["data"]["id"], set(found)) == (HOSTILE.id, {"data", "explanation", "others"})


BECAME = [
    (True, 400, "400, refused"),
    (False, 400, "400, refused for something else; this was reported"),
    (False, None, "forwarded, and reported"),
]


@pytest.mark.parametrize(("enforced", "status", "became"), BECAME)
def test_what_became_of_it(file: Path, store: Store, *, enforced: bool, status: int | None, became: str) -> None:
    """A report may be of a request that was refused all the same."""
    filled(store, [an_entry(NOON + 2 * HOUR, request_id="canary-request", enforced=enforced, status=status)])
    lines = asked("show", "canary-request", store=file, columns=100).stdout.splitlines()
    assert [line.split(None, 1)[1].rstrip() for line in lines if line.startswith("  answer")] == [became]


def test_a_refusal_is_found_before_what_was_reported_of_the_same_request(file: Path, store: Store) -> None:
    """It was recorded last, and is what whoever has the id of the answer asks for."""
    reported = [
        an_entry(NOON + 2 * HOUR + place, request_id="canary-request", code=code, enforced=False)
        for place, code in enumerate(("lead_id_required", "send_in_invalid"))
    ]
    filled(store, [*reported, an_entry(NOON + 2 * HOUR + 2, request_id="canary-request")])
    found = json.loads(asked("show", "canary-request", "--json", store=file).stdout)
    assert (found["data"]["code"], found["data"]["enforced"]) == ("sender_required", True)


def test_the_counts_as_bars(file: Path, store: Store) -> None:
    """An hour without a rejection has a line too; the others are as long as they are many."""
    filled(store, [an_entry(NOON + 9 * HOUR, count=40), an_entry(NOON + 11 * HOUR, count=10)])
    text = asked("stats", "--since", "2026-11-24T20:00Z", store=file, columns=60).stdout
    bars = {line[:11]: (line.count("█"), line[11:].rpartition(" ")[2]) for line in text.splitlines() if ":00" in line}
    assert {hour: number for hour, (_, number) in bars.items()} == {
        "11-24 21:00": "40",
        "11-24 22:00": "",
        "11-24 23:00": "10",
    }
    assert bars["11-24 21:00"][0] == 4 * bars["11-24 23:00"][0] > 30
    assert "50 rejected, 0 reported" in text


def test_cells_are_no_formulas(file: Path, store: Store) -> None:
    """What a spreadsheet would reckon with, or a terminal act on, is a text like any other."""
    result = asked("export", "--csv", "--text", "calc", store=file)
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row["user_agent"].startswith("'=cmd|")
    assert row["owner"] == "'@SUM(1)"
    assert row["captured"].isprintable() is False  # it has a line end, and that alone
    assert row["captured"].replace("\n", "").isprintable()
    assert set(row) == set(FIELDS)
    assert asked("stats", "--csv", store=file).stdout.startswith("at,code,count\n")


def test_an_export_to_a_file(file: Path, store: Store, tmp_path: Path) -> None:
    """Everything, over several pages, for nobody else's eyes."""
    output = tmp_path / "all.jsonl"
    result = asked("export", "--output", str(output), store=file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"451 written to {output}.\n"
    assert lines(output.read_text()) == [entry_json(entry) for entry in Reader(store).export(Filters())]
    assert output.stat().st_mode & 0o777 == 0o600
    assert "cannot be written" in asked("export", "--output", str(tmp_path), store=file).stderr


def test_an_export_on_a_terminal(file: Path, store: Store, tmp_path: Path) -> None:
    """How far it is stands on standard error, where that is a terminal."""
    ours, theirs = os.openpty()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", "rejections", "export", "--output", str(tmp_path / "all")],
        env={**os.environ, STORE: str(file), "TERM": "xterm"},
        stderr=theirs,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "requests" in shown


def test_a_purge(file: Path, store: Store) -> None:
    """It asks first; what is as old as that is gone for good, and nothing else."""
    before = "2026-11-23T00:00Z"
    refused = asked("purge", "--before", before, store=file)
    assert (refused.exit_code, "2026-11-23T00:00:00" in refused.stderr) == (1, True)
    left = [entry for entry in Reader(store).export(Filters()) if entry.at >= NOON - 36 * HOUR]
    done = asked("purge", "--before", before, "--yes", store=file)
    assert done.stdout == f"{451 - len(left)} removed.\n"
    assert list(Reader(store).export(Filters())) == left
    assert asked("purge", "--before", before, store=file).stdout == "There is nothing as old as that.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["list", "--since", "canary"], 2, "--since: The filter since takes"),
        (["list", "--status", ""], 2, "--status: The filter email_status takes"),
        (["list", "--limit", "0"], 2, "--limit"),
        (["purge", "--before", "canary"], 2, "--before: It is not an ISO 8601 time"),
        (["show", "nothing"], 1, "close-gateway rejections list"),
        (["list", "--admin", "ftp://h"], 2, "--admin: It takes the URL"),
        (["export", "--json", "--csv"], 2, "--json or --csv"),
    ],
)
def test_a_wrong_call(file: Path, store: Store, arguments: list[str], code: int, said: str) -> None:
    """The exit code of wrong calls, the flag, and what to do."""
    result = asked(*arguments, store=file)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--code", "sender_requird", "--code: none of the known ones, which are sender_required, sender_malformed, "),
        ("--status", "outbx", "--status: none of the known ones, which are inbox, draft, "),
    ],
)
def test_what_no_filter_is_known_to_find(file: Path, store: Store, flag: str, value: str, said: str) -> None:
    """It is looked for all the same, as clients and other versions may have made it up; a slip is remarked on."""
    result = asked("list", flag, value, store=file)
    assert (result.exit_code, result.stdout) == (0, "No rejections are found.\n")
    assert result.stderr.startswith(f"close-gateway: {said}")
    assert asked("list", "--code", "sender_required", "--limit", "400", store=file).stderr == ""


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("off", "rejections.store"),
        (":memory:", "--admin"),
        ("nowhere.sqlite3", "There is no store at nowhere.sqlite3 yet"),
        ("postgresql://u:canary@127.0.0.1:9/d", "does not answer (NO_CONNECTION)"),
    ],
)
def test_a_store_that_cannot_be_read(where: str, said: str) -> None:
    """What to do is said, and no password."""
    for command in (["list"], ["stats"], ["tail"], ["export"], ["show", "x"], ["purge", "--before", "1d", "--yes"]):
        result = asked(*command, store=where)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr
        assert "canary" not in result.stderr


async def test_over_a_gateway(tmp_path: Path) -> None:
    """The same answers as from the store, with the token from the environment or a flag."""
    async with admin(tmp_path, ENTRIES, token=Secret(TOKEN)) as gateway:
        file = tmp_path / "rejections.sqlite3"
        one = Reader(gateway.store).find(Filters(), None, 1).rows[0].id
        for command in (["list", "--json"], ["list"], ["export", "--csv"], ["stats", "--csv"], ["show", one]):
            over = await asked_of(gateway, *command, CLOSE_GATEWAY_ADMIN__TOKEN=TOKEN)
            assert (over.exit_code, over.stderr) == (0, asked(*command, store=file).stderr)
            assert (
                over.stdout.replace(gateway.gateway.url, "http://127.0.0.1:8080") == asked(*command, store=file).stdout
            )
        (tmp_path / "token").write_text(TOKEN)
        by_file = await asked_of(gateway, "list", CLOSE_GATEWAY_ADMIN__TOKEN_FILE=str(tmp_path / "token"))
        assert by_file.exit_code == 0
        refused = await asked_of(gateway, "list")
        assert (refused.exit_code, "CLOSE_GATEWAY_ADMIN__TOKEN" in refused.stderr) == (1, True)
        wrong = await asked_of(gateway, "list", "--token", "canary-wrong-token")
        assert "canary" not in wrong.output
        assert "does not take this token" in wrong.stderr
        assert "--since" in (await asked_of(gateway, "list", "--since", "x", "--token", TOKEN)).stderr
        assert (await asked_of(gateway, "show", "x", "--token", TOKEN)).exit_code == 1


async def test_a_token_is_shown_to_an_admin_listener_alone() -> None:
    """Of a gateway's other port, what is asked goes up to Close, and so would the token."""
    async with recording() as upstream, running(upstream.url) as gateway:
        result = await asyncio.to_thread(asked, "list", "--admin", gateway.url, "--token", TOKEN)
        assert (result.exit_code, "no gateway's admin listener" in result.stderr) == (1, True)
        assert upstream.requests
        assert all(TOKEN.encode() not in request.head for request in upstream.requests)


def test_nobody_there() -> None:
    """Where no gateway answers, what to do is said."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"127.0.0.1:{unused.getsockname()[1]}"
        result = asked("list", "--admin", url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"close-gateway: No gateway answers at http://{url}: connection refused. Name")


async def test_following_a_gateway(tmp_path: Path) -> None:
    """What comes is given as it comes."""
    async with admin(tmp_path, [an_entry()]) as gateway:
        news = source(None, gateway.url, None).follow({"code": "news"})
        first = asyncio.create_task(asyncio.to_thread(next, news))
        await asyncio.sleep(0.5)
        entry = an_entry(code="news")
        filled(gateway.store, [an_entry(), entry])
        async with asyncio.timeout(10):
            assert (await first)["id"] == entry.id


def test_following_a_store(file: Path, store: Store) -> None:
    """So over a store; Ctrl-C ends it cleanly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "rejections", "tail", "--json", "--code", "send_in_invalid"],
        env={**os.environ, STORE: str(file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell has what it runs in the background ignore Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread of ours runs yet
    )
    try:
        assert process.stdout is not None
        waiting = [an_entry(code="send_in_invalid") for _ in range(20)]
        line = _first_line(process.stdout.fileno(), store, waiting)
        assert line["code"] == "send_in_invalid"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, err) == (0, "")


def _first_line(output: int, store: Store, entries: list[Entry]) -> dict[str, object]:
    """Add entries until one of them comes out: nothing tells when somebody begins to listen."""
    import select

    for entry in entries:
        filled(store, [entry])
        if select.select([output], [], [], 1.0)[0]:
            found: dict[str, object] = json.loads(os.read(output, 65_536).splitlines()[0])
            return found
    raise AssertionError("nothing came")
