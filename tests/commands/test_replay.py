"""A HAR archive is judged offline, by the command as a user runs it."""

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.live.recording import HEAD
from gateway.live.redaction import STARS

EMAILS: Final = "https://api.close.com/api/v1/activity/email/"


def entry(body: object, method: str = "POST", url: str = EMAILS, **more: Any) -> dict[str, Any]:
    """Make an entry as a browser or a proxy writes it."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "request": {"method": method, "url": url, "headers": [], "postData": {"mimeType": "x", "text": text} | more}
    }


def replayed(tmp_path: Path, *entries: object, flags: tuple[str, ...] = (), width: int = 100) -> Result:
    """Judge an archive of these entries."""
    file = tmp_path / "a.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8-sig")
    return CliRunner().invoke(main, ["dev", "--replay", str(file), *flags], env={"COLUMNS": str(width)})


NEW: Final = {"lead_id": "lead_1", "status": "outbox"}
OTHERS: Final = (
    {"request": {"method": "GET", "url": EMAILS}},
    entry(NEW, url="https://api.close.com/api/v1/lead/"),
    {"request": {"method": "POST", "url": EMAILS, "headers": [{"name": "X-HTTP-Method-Override", "value": "GET"}]}},
    "no entry",
    {"request": None},
    {"request": {"method": "POST", "url": "http://[", "headers": "none"}},
)


def test_what_the_live_view_would_show(tmp_path: Path) -> None:
    """Each email write by its place, and what all of them amount to; exit code 1 where one would be rejected."""
    result = replayed(tmp_path, *OTHERS, entry(NEW), entry(NEW | {"status": "sent"}), entry(NEW | {"sender": "a@b.co"}))
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout == (
        "#7       rejected      POST /api/v1/activity/email/\n"
        '  sender_required  An email with status "outbox" needs a sender: add "sender", such as "Jane Roe\n'
        '  <jane@example.com>", or save it as "draft" for now.\n'
        "    {\n"
        '  +   "sender": "Jane Roe <jane@example.com>",\n'
        '      "lead_id": "lead_1",\n'
        '      "status": "outbox"\n'
        "    }\n"
        "\n"
        "#8       filled        POST /api/v1/activity/email/\n"
        "  sender  The address of the key's owner would be put in.\n"
        "\n"
        "#9       forwarded     POST /api/v1/activity/email/\n"
        "3 email writes among 9 requests: 1 would be rejected, 1 filled in, 1 forwarded.\n"
    )


CHANGE: Final = f"{EMAILS}acti_1/"
CASES: Final = [  # entry, exit code, verdict, what is said
    (entry(NEW | {"status": "sent", "user_id": "user_1"}), 0, "filled", "The address of user user_1 would be put in."),
    (entry({"status": "outbox"}, "PUT", CHANGE), 0, "forwarded", "whether the stored email has a sender, only Close"),
    (entry({"status": "outbox", "sender": "x"}, "PATCH", CHANGE), 1, "rejected", "sender_malformed"),
    (entry({"status": "draft"}), 0, "reported", "lead_id_required (reported)"),
    (entry("{nope"), 0, "forwarded", "Its body is no JSON object that could be read"),
    (entry(base64.b64encode(json.dumps(NEW).encode()).decode(), encoding="base64"), 1, "rejected", "sender_required"),
    (entry("?", encoding="base64"), 2, "unreadable", "Its body is said to be base64 and is not."),
    (entry("{", comment=7), 0, "forwarded", "Its body is no JSON object that could be read"),
    (entry("{", comment="cut short after 1 bytes of 2"), 2, "unreadable", "is not whole in the archive: cut short"),
    ({"request": {"method": "POST", "url": EMAILS}}, 2, "unreadable", "Its body is not in the archive."),
    (entry(NEW, url=f"{EMAILS}?api_key=CANARY"), 1, "rejected", f"email/?api_key={STARS}"),
    (entry(NEW | {"token": "CANARY"}), 1, "rejected", '"token": "***"'),
]  # fmt: skip


@pytest.mark.parametrize(("judged", "code", "verdict", "said"), CASES)
def test_what_becomes_of_an_email_write(tmp_path: Path, judged: object, code: int, verdict: str, said: str) -> None:
    """What only Close can know is forwarded, and said so; what cannot be read is told, and the rest is judged."""
    result = replayed(tmp_path, judged, entry(NEW | {"sender": "a@b.co"}))
    assert (result.exit_code, result.stdout.split()[1]) == (code, verdict)
    assert said in " ".join(result.stdout.split())
    assert "#2       forwarded" in result.stdout
    assert "CANARY" not in result.stdout


def test_what_no_encoding_has_letters_for(tmp_path: Path) -> None:
    """Nothing fails on halves of a surrogate pair, which browsers record of bytes; nor where letters are missing."""
    odd = entry(NEW | {"subject": "é \ud83d"}, url=f"{EMAILS}?x=\ud83d")
    odd["response"] = {"content": {"text": "\ud83d"}}
    file = tmp_path / "a.har"
    file.write_text(json.dumps({"log": {"entries": [odd]}}))
    result = CliRunner(charset="ascii").invoke(main, ["dev", "--replay", str(file)], env={"COLUMNS": "100"})
    assert (result.exit_code, result.stderr) == (1, "")
    assert r'"subject": "\xe9 \ud83d"' in result.stdout


def test_the_rules_are_those_of_the_settings(tmp_path: Path) -> None:
    """A rule that refuses by the settings does here, and a gateway that only reports rejects nothing."""
    config = tmp_path / "gateway.toml"
    config.write_text('[rules]\nlead_id_required = "enforce"\n')
    draft = entry({"status": "draft"})
    assert replayed(tmp_path, draft, flags=("--config", str(config))).exit_code == 1
    assert replayed(tmp_path, entry(NEW), flags=("--mode", "report")).exit_code == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"log": {"entries": {}}}', '{"log": 1}', "\ud800"])
def test_a_file_that_is_no_archive(tmp_path: Path, text: str) -> None:
    """Exit code 2, and a sentence."""
    file = tmp_path / "a.har"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    result = CliRunner().invoke(main, ["dev", "--replay", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"close-gateway: {file} is no HAR archive: it is to be JSON with log.entries.\n"


def test_a_recording_that_was_cut_off(tmp_path: Path) -> None:
    """What is whole in it is judged; what was cut off cannot be read."""
    file = tmp_path / "a.har"
    whole = json.dumps(entry(NEW))
    file.write_bytes(HEAD + f"{whole},\n{whole[:40]}".encode())
    result = CliRunner().invoke(main, ["dev", "--replay", str(file)], env={"COLUMNS": "150"})
    assert (result.exit_code, result.stderr) == (2, "")
    assert result.stdout.splitlines()[-1] == (
        "The recording is cut off in its last line: what stands there was not judged. "
        "The next dev --record to it mends it."
    )
    assert "1 email write among 1 request: 1 would be rejected." in result.stdout


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """As well."""
    result = CliRunner().invoke(main, ["dev", "--replay", str(tmp_path / "a.har")])
    assert (result.exit_code, result.stderr.partition("a.har ")[2]) == (
        2,
        "cannot be read: no such file or directory.\n",
    )


@pytest.mark.parametrize(
    "flags", [("--json",), ("--record", "x"), ("--listen", "127.0.0.1:0"), ("--upstream", "http://x")]
)
def test_what_makes_no_sense_beside_it(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """A replay asks nobody and listens nowhere."""
    assert replayed(tmp_path, flags=flags).exit_code == 2


def test_an_archive_without_email_writes(tmp_path: Path) -> None:
    """Nothing would be rejected."""
    result = replayed(tmp_path, *OTHERS)
    assert (result.exit_code, result.stdout) == (0, "0 email writes among 6 requests.\n")
