"""A started sandbox, and a client to ask it with."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from gateway.sandbox import Sandbox, User
from gateway.sandbox.seed import JANE
from tests.sandbox.description import WHERE, Description


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """Asks a sandbox, as Jane unless told otherwise."""

    session: aiohttp.ClientSession
    url: str

    async def __call__(self, method: str, path: str, *, user: User | None = JANE, **how: Any) -> Answer:
        signed = {"Authorization": aiohttp.encode_basic_auth(user.api_key, "")} if user else {}
        headers = signed | how.pop("headers", {})
        async with self.session.request(method, f"{self.url}/api/v1{path}", headers=headers, **how) as answer:
            body = json.loads(await answer.read() or b"null")
            return Answer(answer.status, body, answer.headers)


@pytest.fixture(scope="session")
def described() -> Description:
    """Close's published API description; without a copy of it, a reason to skip."""
    if not WHERE.is_file():
        pytest.skip(f"There is no copy of Close's API description at {WHERE}.")
    return Description.read(WHERE)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox with the seeded world, on a free port."""
    sandbox = Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def ask(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A client of that sandbox."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, sandbox.url)


@pytest.fixture
def make_user() -> Callable[[int], User]:
    """Make colleagues of Jane's."""
    return lambda number: replace(JANE, id=f"user_{number}", api_key=f"api_{number}", access_token=f"oauth_{number}")
