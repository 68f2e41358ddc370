"""The plugin as its users have it: installed, found by its entry point, in runs of pytest of their own."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = "pytester"

ROOT: Final = Path(__file__).parents[1]
HEAVY: Final = "aiohttp|asyncio|click|orjson|pydantic|sqlalchemy|structlog|gateway.testing"

CLIENTS: Final = """
import httpx
import pytest
from closeio_api import API, ValidationError

EMAIL = {"status": "outbox", "subject": "Hello"}


@pytest.mark.parametrize("number", range(4))
def test_sync(close_gateway, number):
    api = API(close_gateway.url, close_gateway.api_key)
    with pytest.raises(ValidationError):
        api.post("activity/email", {**EMAIL, "lead_id": close_gateway.lead_id})
    api.session.close()
    assert [rejection.code for rejection in close_gateway.rejections] == ["sender_required"]


@pytest.mark.parametrize("number", range(4))
async def test_async(close_gateway, number):
    async with httpx.AsyncClient(base_url=close_gateway.url, auth=(close_gateway.api_key, ""), verify=False) as client:
        email = {**EMAIL, "status": "sent", "lead_id": close_gateway.lead_id}
        assert (await client.post("activity/email/", json=email)).status_code == 200
    assert [email["sender"] for email in close_gateway.emails] == [close_gateway.owner.email]


@pytest.fixture
async def client(close_gateway):
    async with httpx.AsyncClient(base_url=close_gateway.url, auth=(close_gateway.api_key, ""), verify=False) as client:
        yield client


async def test_by_another_fixture(client, close_gateway):
    assert (await client.get("me/")).json()["id"] == close_gateway.owner.id
"""

SETTINGS: Final = """
import pytest

@pytest.fixture
def close_gateway_settings():
    return {"rules": {"lead_id_required": "enforce", "sender_required": "report"}}
"""

FAILING: Final = """
import httpx
import pytest

def post(close_gateway, **email):
    auth = (close_gateway.api_key, "")
    return httpx.post(f"{close_gateway.url}activity/email/", json=email, auth=auth, verify=False).status_code

def test_passes(close_gateway):
    assert post(close_gateway, status="draft") == 400

def test_fails(close_gateway):
    assert post(close_gateway, status="draft") == 200

@pytest.mark.close_gateway(rules={"lead_id_required": "off"})
class TestMarked:
    @pytest.mark.close_gateway(rules={"sender_required": "enforce"})
    def test_the_nearest_wins(self, close_gateway):
        assert post(close_gateway, status="outbox", lead_id=close_gateway.lead_id) == 400
        assert [each.code for each in close_gateway.rejections] == ["sender_required"]
        assert close_gateway.reports == []

@pytest.mark.close_gateway(rules={"lead_required": "enforce"})
def test_unknown(close_gateway): ...

@pytest.mark.close_gateway({"lead_id_required": "enforce"})
def test_unnamed(close_gateway): ...

@pytest.mark.close_gateway(rules="enforce")
def test_no_section(close_gateway): ...

class TestForgotten:
    @pytest.fixture
    def close_gateway_settings(self): ...

    def test_no_return(self, close_gateway): ...
"""


@pytest.fixture
def installed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder for tests, where this project is installed with the entry points that it is going to have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (name, target), *others = project["entry-points"]["pytest11"].items()
    assert not others
    site = pytester.path / "site"
    info = site / "close_gateway-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: close-gateway\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {target}\n")
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    # Without Hypothesis, which is most of what a start of pytest costs here.
    pytester.makeini(
        "[pytest]\nfilterwarnings = error\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "addopts = --strict-markers --strict-config -p no:cacheprovider -p no:hypothesispytest\n"
    )
    return pytester


def test_clients_of_all_kinds_and_the_example_of_the_readme(installed: pytest.Pytester) -> None:
    """Sync and async tests share it under xdist, those of the README among them; no warning comes of it, nothing is
    written, and nothing left open.
    """
    readme = (ROOT / "README.md").read_text("utf-8")
    (example,) = re.findall(r'```python\n(""".*?)```', readme, re.DOTALL)
    installed.makepyfile(test_clients=CLIENTS, test_mailer=example)
    result = installed.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=13)
    assert result.stderr.lines == []


def test_a_failure_tells_what_was_refused(installed: pytest.Pytester) -> None:
    """Beneath a test that fails stands what the gateway refused; settings that cannot be used are told as such."""
    installed.makeconftest(SETTINGS)
    installed.makepyfile(FAILING)
    result = installed.runpytest_subprocess("-rA", "--tb=short")
    result.assert_outcomes(passed=2, failed=1, errors=4)
    assert [line for line in result.outlines if "close-gateway --" in line] == [" close-gateway ".center(80, "-")]
    result.stdout.fnmatch_lines(
        [
            "*_ ERROR at setup of test_unknown _*",
            "The settings of close_gateway cannot be used:",
            "rules.lead_required (from the test) is not known. The nearest name is rules.lead_id_required; *",
            "*_ ERROR at setup of test_unnamed _*",
            'Name the sections: @pytest.mark.close_gateway(rules={"lead_id_required": "enforce"}).',
            "*_ ERROR at setup of test_no_section _*",
            "rules (from the test) is a section and holds no value itself. *",
            "*_ ERROR at setup of TestForgotten.test_no_return _*",
            'The fixture close_gateway_settings gives None. Return {"rules": {"lead_id_required": "enforce"}}.',
            "*_ test_fails _*",
            "E   *assert 400 == 200*",
            "*- close-gateway -*",
            "The gateway refused (1):",
            "POST /api/v1/activity/email/: lead_id_required, field lead_id",
            '  A new email belongs to a lead: add "lead_id", the id of the lead whose email it is.',
        ]
    )


def test_pytest_lists_it(installed: pytest.Pytester) -> None:
    """Who looks for fixtures finds what it is and how it is used."""
    fixtures = installed.runpytest_subprocess("--fixtures")
    fixtures.stdout.fnmatch_lines(
        ["close_gateway -- *", "    A Close Gateway in front of a sandbox *", "    Point a client at `.url` with *"]
    )


def test_who_does_not_ask_pays_nothing() -> None:
    """What the plugin imports before a test asks for a gateway is there in any run of pytest."""
    code = f"import sys, pytest, gateway.pytest_plugin\nprint(*[m for m in sys.modules if m in {HEAVY.split('|')}])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert told.stdout.split() == []
