"""close-gateway check, as a user and a program run it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.commands.checks import BROKEN, FINE, REFUSED, REPORTED, checked

FILLED = '{"lead_id": "lead_1", "status": "sent"}'
OF_A_USER = '{"lead_id": "lead_1", "status": "sent", "user_id": "user_1\\u001b[2J"}'
ALL = f"{FINE}\n{REFUSED}\n{FILLED}\n{OF_A_USER}\n{REPORTED}\n{BROKEN}"
CHANGE = '{"status": "outbox"}'
README = Path(__file__, "../../../README.md").resolve()


def rows(result: Result) -> list[dict[str, Any]]:
    """Read lines of JSON."""
    return [json.loads(line) for line in result.stdout.splitlines()]


CODES = [  # what comes, and the exit code
    (FINE, 0),
    (FILLED, 0),
    (REPORTED, 0),
    ("[]", 0),
    (REFUSED, 1),
    (f"{REFUSED}\n{FINE}", 1),
    (f"[{FINE}, {REFUSED}]", 1),
    (f"{REFUSED}\n{BROKEN}\n{FINE}", 2),
    (BROKEN, 2),
    ("", 2),
]


@pytest.mark.parametrize("form", ["", "--json", "--sarif"])
@pytest.mark.parametrize(("given", "code"), CODES)
def test_the_exit_code_tells_of_the_worst(given: str, code: int, form: str) -> None:
    """0: nothing would be rejected; 1: something would; 2: something cannot be read."""
    assert checked(*form.split(), given=given).exit_code == code


def test_what_people_see() -> None:
    """Where it stands, the verdict, the rule, and the spot; of what passes nothing; and a line that sums it up."""
    result = checked("-", given=ALL, columns=60)
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "stdin:2  rejected",
        '  sender_required  An email with status "outbox" needs a',
        '  sender: add "sender", such as "Jane Roe',
        '  <jane@example.com>", or save it as "draft" for now.',
        "    {",
        '  +   "sender": "Jane Roe <jane@example.com>",',
        '      "lead_id": "lead_1",',
        '      "status": "outbox",',
        '      "subject": "canary"',
        "    }",
        "",
        "stdin:3  filled with the address of the key's owner",
        "stdin:4  filled with the address of user_1\ufffd[2J",
        "stdin:5  reported",
        "  lead_id_required (reported)  A new email belongs to a",
        '  lead: add "lead_id", the id of the lead whose email it is.',
        '  send_in_invalid (reported)  The delay "send_in" has to be',
        "  a whole number of seconds below 60: give it as a number",
        "  such as 30, or leave it out; to send the email later, give",
        '  status "scheduled" with "date_scheduled".',
        "    {",
        '  +   "lead_id": "lead_...",',
        '      "status": "outbox",',
        '      "sender": "jane@example.com",',
        '  ~   "send_in": 90',
        "                 ^^",
        "    }",
        "",
        "5 payloads: 1 rejected, 2 filled, 2 forwarded; 1 with",
        "reports; 1 unreadable",
    ]
    assert result.stderr == "stdin:6:12: It cannot be read as JSON: expecting value.\n"


def test_elsewhere_than_on_a_terminal_a_sentence_is_one_line(tmp_path: Path) -> None:
    """So grep finds it whole; the body is cut as on a terminal, and no line ends in blanks."""
    given = REFUSED.replace("canary", "canary" * 100)
    lines = checked(given=given, COLUMNS="").stdout.splitlines()
    assert lines[1] == (
        '  sender_required  An email with status "outbox" needs a sender: add "sender", such as '
        '"Jane Roe <jane@example.com>", or save it as "draft" for now.'
    )
    assert max(len(line) for line in lines[2:-1]) == 80
    file = tmp_path / "a-rather-long-name-of-a-file-so-that-its-line-would-not-fit.json"
    file.write_text(FILLED)
    for columns in ("", "60"):
        lines = checked(str(file), COLUMNS=columns).stdout.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
    assert checked(str(file), COLUMNS="").stdout.splitlines()[0].endswith("filled with the address of the key's owner")


def test_the_readme_shows_what_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its example is run as it stands; errors come on a stream of their own."""
    monkeypatch.chdir(tmp_path)
    text = README.read_text()
    given, _, seen = text[text.index("$ cat emails.jsonl\n") :].partition("$ close-gateway check emails.jsonl\n")
    Path("emails.jsonl").write_text(given.partition("\n")[2])
    result = checked("emails.jsonl")
    shown = [line.rstrip() for line in result.stdout.splitlines()]
    assert shown + result.stderr.splitlines() == sorted(
        seen[: seen.index("```")].splitlines(), key=lambda line: line.startswith("emails.jsonl:4:")
    )


def test_only_so_many_are_drawn() -> None:
    """The others are counted, in the end and in the exit code."""
    result = checked("--limit", "2", given=f"{FINE}\n" + f"{FILLED}\n" * 3 + REFUSED)
    assert result.stdout.splitlines() == [
        *(f"stdin:{line}  filled with the address of the key's owner" for line in (2, 3)),
        "2 more are not shown: raise --limit, or take --json.",
        "5 payloads: 1 rejected, 3 filled, 1 forwarded",
    ]
    assert result.exit_code == 1


def test_what_programs_get() -> None:
    """A line for each payload, in their order, with all that is found and where it is."""
    result = checked("--json", given=ALL)
    place = {"file": "stdin", "column": 1}
    of_the_sender = "https://developer.close.com/api/overview/changelog/2025/12/17"
    found = rows(result)
    nothing: dict[str, Any] = {"violations": [], "reported": [], "unsettled": False}
    assert found[0] == {**place, **nothing, "line": 1, "verdict": "forwarded"}
    assert found[1] == {
        **place,
        **nothing,
        "line": 2,
        "verdict": "rejected",
        "violations": [
            {
                "code": "sender_required",
                "field": "sender",
                "message": "This field is required.",
                "detail": 'An email with status "outbox" needs a sender: add "sender", such as '
                '"Jane Roe <jane@example.com>", or save it as "draft" for now.',
                "docs": of_the_sender,
                "line": 2,
                "column": 1,
            }
        ],
    }
    assert found[2] == {**place, **nothing, "line": 3, "verdict": "filled", "from": "owner", "user_id": None}
    assert found[3] == {
        **place,
        **nothing,
        "line": 4,
        "verdict": "filled",
        "from": "user",
        "user_id": "user_1\x1b[2J",
    }
    assert [(one["code"], one["line"], one["column"]) for one in found[4]["reported"]] == [
        ("lead_id_required", 5, 1),
        ("send_in_invalid", 5, 52),
    ]
    assert found[4] == {**place, **nothing, "line": 5, "verdict": "forwarded", "reported": found[4]["reported"]}
    assert found[5] == {
        **nothing,
        "file": "stdin",
        "line": 6,
        "column": 12,
        "verdict": "unreadable",
        "detail": "It cannot be read as JSON: expecting value.",
    }


CHANGES = [  # a stored email or several, a change, verdict, whether only Close knows, exit code
    (None, CHANGE, "forwarded", True, 0),
    ('{"id": "acti_1", "sender": null}', CHANGE, "rejected", False, 1),
    ('{"id": "acti_1", "sender": "jane@example.com"}', CHANGE, "forwarded", False, 0),
    ('{"sender": ""}\n', '{"status": "draft"}', "forwarded", False, 0),
    (
        '[{"id": "a", "sender": ""}, {"id": "b", "sender": "j@e.c"}]',
        '{"id": "a", "status": "outbox"}',
        "rejected",
        False,
        1,
    ),
    ('{"id": "a", "sender": ""}\n{"id": "b", "sender": "j@e.c"}', CHANGE, "forwarded", True, 0),
    ('{"data": [{"id": "a", "sender": ""}]}', '{"id": "b", "status": "outbox"}', "forwarded", True, 0),
    ('{"id": "a"}', '{"id": "a", "status": "outbox"}', "forwarded", True, 2),
    ('[{"id": "a"}, {"id": "b", "sender": null}]', CHANGE, "forwarded", True, 2),
]


@pytest.mark.parametrize(("stored", "change", "verdict", "unsettled", "code"), CHANGES)
def test_changes(
    tmp_path: Path,
    stored: str | None,
    change: str,
    verdict: str,
    unsettled: bool,  # noqa: FBT001 - of a row
    code: int,
) -> None:
    """Judged with the stored email where it is given; without, what only Close knows is forwarded, and said."""
    given = []
    if stored is not None:
        (tmp_path / "stored.json").write_text(stored)
        given = ["--stored", str(tmp_path / "stored.json")]
    result = checked("--update", "--json", *given, given=change)
    row = rows(result)[-1]
    assert (row["verdict"], row["unsettled"], result.exit_code) == (verdict, unsettled, code)


def test_what_only_close_knows_is_said() -> None:
    """To people, at the payload and in the sum."""
    assert checked("--update", given=CHANGE, columns=120).stdout.splitlines() == [
        "stdin:1  forwarded; only Close knows whether the stored email has a sender",
        "1 payload: 0 rejected, 0 filled, 1 forwarded; 1 of a stored email that is not known (see --stored)",
    ]


def test_the_modes_are_the_gateways(tmp_path: Path) -> None:
    """A file of settings, or the environment, says what is refused; files that it names need not be here."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[listener]\ntls_certificate = "/nowhere"\n[rules]\nsend_in_invalid = "enforce"\nlead_id_required = "off"'
    )
    enforced = checked("--json", "--config", str(file), given=REPORTED)
    assert ([one["code"] for one in rows(enforced)[0]["violations"]], enforced.exit_code) == (["send_in_invalid"], 1)
    assert rows(enforced)[0]["reported"] == []
    assert checked(given=REFUSED, CLOSE_GATEWAY_INSPECT__MODE="report").exit_code == 0
    off = checked(given=REFUSED, CLOSE_GATEWAY_INSPECT__MODE="off")
    assert (off.exit_code, off.stdout, "inspect.mode" in off.stderr) == (2, "", True)
    wrong = checked(given=REFUSED, CLOSE_GATEWAY_RULES__LEAD_ID_REQUIRED="maybe")
    assert (wrong.exit_code, wrong.stdout, "rules.lead_id_required" in wrong.stderr) == (2, "", True)
    small = checked(given=REFUSED, CLOSE_GATEWAY_INSPECT__MAX_BODY="20")
    assert (small.exit_code, "larger than the 20 bytes" in small.stderr) == (2, True)


WRONG = [
    ["--json", "--sarif"],
    ["--stored", "x"],
    ["-", "-"],
    ["--update", "--stored", "-"],
    ["--limit", "-1"],
    ["--no"],
]


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call(arguments: list[str]) -> None:
    """Exit code 2, before anything is read."""
    result = checked(*arguments, given=REFUSED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Each is named, and the others are judged."""
    (tmp_path / "fine\x1b.json").write_text(REFUSED)
    result = checked(str(tmp_path / "none.json"), str(tmp_path), str(tmp_path / "fine\x1b.json"), columns=200)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{tmp_path}/none.json: It cannot be read: no such file or directory.",
        f"{tmp_path}: It cannot be read: is a directory.",
    ]
    assert [rows(checked("--json", str(tmp_path)))[0][name] for name in ("line", "column")] == [None, None]
    assert result.stdout.startswith(f"{tmp_path}/fine\ufffd.json:1  rejected")
