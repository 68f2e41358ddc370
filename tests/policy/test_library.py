"""The policy as a library: its names, its examples, and how little it brings along."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import policy

README = Path(__file__, "../../../README.md").resolve()
NAMES = [
    "DEFAULT_MODES",
    "Absent",
    "EmailWrite",
    "FillSender",
    "Findings",
    "Forward",
    "Modes",
    "Reject",
    "Status",
    "StoredEmail",
    "Verdict",
    "Violation",
    "ViolationCode",
    "Violations",
    "decide",
    "email_write",
    "judge_create",
    "judge_update",
    "needs_stored_email",
    "stored_email",
]
FIELDS = {  # by which integrations hold on to what they are given
    "EmailWrite": "status sender user_id status_given lead_id date_scheduled send_in attachments",
    "FillSender": "user_id reported",
    "Findings": "violations otherwise",
    "Forward": "reported",
    "Modes": "enforced reported",
    "Reject": "violations reported",
    "StoredEmail": "sender",
    "Violation": "code field message",
}
CODES = (
    "sender_required sender_malformed status_required status_unknown lead_id_required date_scheduled_required "
    "send_in_invalid send_in_misplaced attachment_url_invalid"
)
MODULES = ["gateway.policy", *(f"gateway.policy.{module.name}" for module in pkgutil.iter_modules(policy.__path__))]


def test_the_public_names_stay() -> None:
    """Names, fields and codes: one that goes, or moves among the fields, breaks somebody's tests elsewhere."""
    assert policy.__all__ == NAMES
    assert {name: " ".join(getattr(policy, name).__match_args__) for name in FIELDS} == FIELDS
    assert " ".join(code.value for code in policy.ViolationCode) == CODES


VALUES = [
    policy.DEFAULT_MODES,
    policy.EmailWrite(),
    policy.FillSender(None),
    policy.Findings(),
    policy.Forward(),
    policy.Reject(()),
    policy.StoredEmail(None),
    policy.Violation(policy.ViolationCode.SENDER_REQUIRED, "sender", "x"),
]


@pytest.mark.parametrize("value", VALUES)
def test_values_cannot_be_changed(value: object) -> None:
    """So a verdict may be kept and shared, and is one key of a dictionary where its parts are."""
    (name, *_) = type(value).__match_args__  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        setattr(value, name, None)
    assert {value: 1}[value] == 1


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    """What a docstring shows is what happens."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_package_and_its_functions_have_examples() -> None:
    """Or the test above would hold of nothing."""
    found = {example.name for example in doctest.DocTestFinder(exclude_empty=True).find(policy) if example.examples}
    assert "gateway.policy" in found


def test_the_readme_is_true() -> None:
    """Its example of the library is run as it stands."""
    text = README.read_text()
    section = text[text.index("### As a library") :]
    example = doctest.DocTestParser().get_doctest(section[: section.index("\n## ")], {}, "README.md", None, 0)
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert (runner.failures, runner.tries > 0) == (0, True)


def test_it_brings_nothing_along() -> None:
    """No package but itself, and nothing of the standard library that waits: a test of an integration stays quick."""
    code = (
        "import sys; import gateway.policy\n"
        "print({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'__main__'})\n"
        "print({'asyncio', 'json', 'logging', 'socket', 'ssl'} & set(sys.modules))"
    )
    asked = subprocess.run(  # noqa: S603 - ours; without site, which may bring along what the machine has
        [sys.executable, "-S", "-c", code], cwd=README.parent, capture_output=True, check=True, text=True
    )
    assert asked.stdout == "{'gateway'}\nset()\n"
