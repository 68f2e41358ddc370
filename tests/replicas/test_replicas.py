"""Three gateways under load, to which something happens. The counts of each scenario are told (pytest -rP)."""

import click
import pytest

from tests.replicas import scenarios
from tests.replicas.account import Account
from tests.replicas.ledger import Outcome
from tests.replicas.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECONDS = 0.5


def told(account: Account) -> Account:
    """Tell the counts, and see that there is no problem."""
    click.echo(str(account))
    assert account.problems == []
    return account


async def test_any_gateway_tells_the_rejections_of_all(site: Site) -> None:
    """Each of them once, with the gateway that it was refused by; and the counts are those of all."""
    account = told(await scenarios.undisturbed(site, SECONDS))
    assert account.ledger.broken() == []
    assert {row["instance"] for row in account.rows} == site.fleet.names()
    assert len(account.rows) == account.count(Outcome.REJECTED)
    assert account.facts["counted by each gateway"] == [len(account.rows)] * 3


async def test_close_is_asked_once_about_each_credential(site: Site) -> None:
    """By whichever gateway is first, though all of them need to know, and at the same time."""
    account = told(await scenarios.crowded(site, SECONDS))
    assert account.ledger.broken() == []
    assert len(account.ledger.credentials()) > 24


async def test_a_gateway_is_killed(site: Site) -> None:
    """Requests on its own open connections fail, and no others; two serve all, and a new one takes its place."""
    account = told(await scenarios.killed(site, SECONDS))
    broken = account.ledger.broken()
    victim = {entry.backend for entry in broken}
    assert len(victim) == 1
    assert len({entry.pairing for entry in broken}) == len(broken)
    assert len(account.ledger.serving("without it")) == 2
    assert len(account.ledger.serving("replaced")) == 3


async def test_a_gateway_is_drained(site: Site) -> None:
    """Nothing fails: it says that it is not ready, ends its connections as HTTP has it, and finishes what it has."""
    account = told(await scenarios.drained(site, SECONDS))
    assert account.ledger.broken() == []
    assert account.facts["exit code"] == 0
    assert 503 in account.facts["readyz"]
    assert len(account.ledger.serving("without it")) == 2
    assert len(account.ledger.serving("replaced")) == 3


@pytest.mark.parametrize("scenario", [scenarios.redis_killed, scenarios.redis_paused])
async def test_redis_goes_and_comes_back(site: Site, scenario: scenarios.Scenario) -> None:
    """Nothing fails. Close is asked once about each credential by all; meanwhile once by each gateway for itself."""
    account = told(await scenario(site, SECONDS))
    assert account.ledger.broken() == []
    assert len(account.ledger.serving("without it")) == 3


@pytest.mark.parametrize("scenario", [scenarios.postgres_stopped, scenarios.postgres_killed])
async def test_postgresql_goes_and_comes_back(site: Site, scenario: scenarios.Scenario) -> None:
    """Nothing fails, no rejection is lost and none is there twice, and each is from the gateway that had it."""
    account = told(await scenario(site, SECONDS))
    assert account.ledger.broken() == []
    assert len(account.rows) == account.count(Outcome.REJECTED)
    assert len(account.ledger.serving("without it")) == 3
