"""Who may ask the admin listener."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from gateway.admin.access import ATTEMPTS, SESSIONS, Access
from gateway.admin.guard import COOKIE, HEADERS
from gateway.cli import main
from gateway.secret import Secret
from tests.admin.asking import Admin, admin
from tests.rejections.stores import an_entry

TOKEN = "canary-canary-canary"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {"Accept": "text/html,*/*"}


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Admin]:
    """An admin listener on loopback with a token."""
    async with admin(tmp_path, [an_entry()], token=Secret(TOKEN)) as asked:
        asked.client.cookie_jar.clear()
        yield asked
        assert TOKEN.encode() not in asked.gateway.written


async def posted(asked: Admin, path: str, data: object = None, **headers: str) -> tuple[int, aiohttp.ClientResponse]:
    """Send a form, and follow nothing."""
    async with asked.client.post(asked.url + path, data=data, headers=headers, allow_redirects=False) as answer:
        await answer.read()
        return answer.status, answer


async def test_the_token_is_asked_for(closed: Admin) -> None:
    """As a header or not at all: everything but the two probes wants it."""
    for path in ("/api/rejections", "/api/stats", "/api/stream", "/", "/nothing"):
        found = await closed.get(path, 401)
        assert "admin.token" in found["errors"][0]
    await closed.get("/api/rejections", headers=BEARER)
    await closed.get("/api/rejections", headers={"Authorization": f"bearer  {TOKEN} "})
    await closed.get("/api/rejections", 401, headers={"Authorization": f"Basic {TOKEN}"})
    await closed.get("/api/rejections", 401, headers={"Authorization": f"Bearer {TOKEN}x"})
    await closed.get("/api/rejections", 401, headers={"Authorization": "Bearer \N{SNOWMAN}"})
    await closed.get("/healthz")
    await closed.get("/readyz")


async def test_probes_may_be_closed_too(tmp_path: Path) -> None:
    """What stays open is a setting."""
    async with admin(tmp_path, token=Secret(TOKEN), open=("/readyz",)) as asked:
        await asked.get("/healthz", 401)
        await asked.get("/healthz", headers=BEARER)
        await asked.get("/readyz")


async def test_logging_in_and_out(closed: Admin) -> None:
    """A page asks for the token once; the cookie that stands for it is not the token, and ends with the logout."""
    async with closed.client.get(closed.url + "/?code=a", headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2F%3Fcode%3Da")
    async with closed.client.get(closed.url + "/login") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert 'name="token"' in await answer.text()
    status, answer = await posted(closed, "/login?next=%2F%3Fcode%3Da", {"token": TOKEN})
    assert (status, answer.headers["Location"]) == (303, "/?code=a")
    cookie = answer.headers["Set-Cookie"]
    assert "canary" not in cookie
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}
    session = answer.cookies[COOKIE].value
    as_session = {"Cookie": f"{COOKIE}={session}"}
    await closed.get("/api/rejections", headers=as_session)
    status, _ = await posted(closed, "/logout", Cookie=f"{COOKIE}={session}")
    assert status == 303
    await closed.get("/api/rejections", 401, headers=as_session)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", ""]
)
async def test_a_login_leads_nowhere_else(closed: Admin, wanted: str) -> None:
    """Whatever a link to the login page says, it leads to a page of the gateway."""
    async with closed.client.post(
        closed.url + "/login", params={"next": wanted}, data={"token": TOKEN}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/"


async def test_attempts_are_limited(closed: Admin) -> None:
    """After ten wrong ones none is looked at, by neither way; who is logged in goes on."""
    _, answer = await posted(closed, "/login", {"token": TOKEN})
    as_session = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
    closed.client.cookie_jar.clear()
    for number in range(ATTEMPTS):
        if number % 2:
            await closed.get("/api/stats", 401, headers={"Authorization": "Bearer wrong"})
        else:
            assert (await posted(closed, "/login", {"token": "wrong"}))[0] == 401
    status, answer = await posted(closed, "/login", {"token": TOKEN})
    assert (status, 0 < int(answer.headers["Retry-After"]) <= 61) == (429, True)
    await closed.get("/api/stats", 429, headers=BEARER)
    await closed.get("/api/stats", headers=as_session)
    await closed.get("/healthz")


@pytest.mark.parametrize("data", [None, {}, {"token": ""}, b"token=x"])
async def test_a_form_without_a_token(closed: Admin, data: object) -> None:
    """It is told so, and counts as no attempt."""
    assert (await posted(closed, "/login", data))[0] == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "http://{host}"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://{host}"}, 403),
    ],
)
async def test_another_sites_page_changes_nothing(closed: Admin, headers: dict[str, str], status: int) -> None:
    """What a browser sends for another site's page is refused; what comes from here, or from no page, is not."""
    host = str(closed.gateway.gateway.admin)
    given = {name: value.format(host=host) for name, value in headers.items()}
    assert (await posted(closed, "/login", {"token": TOKEN}, **given))[0] == status


async def test_every_answer_tells_browsers_to_be_careful(closed: Admin) -> None:
    """Pages, JSON, errors of all kinds."""
    for path in ("/login", "/healthz", "/api/stats", "/nothing"):
        for headers in ({}, BEARER, {"Host": "evil.example"}):
            async with closed.client.get(closed.url + path, headers=headers) as answer:
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS
                assert answer.headers["Cache-Control"] == "no-store"


async def test_on_loopback_it_is_open_without_a_token(tmp_path: Path) -> None:
    """Nobody is asked, and there is no login page; the Host is looked at all the same."""
    async with admin(tmp_path) as asked:
        await asked.get("/api/rejections")
        await asked.get("/login", 404)
        await asked.get("/api/rejections", 421, headers={"Host": "evil.example"})


def test_attempts_are_forgotten() -> None:
    """A minute after the first of them the next is looked at."""
    now = [0.0]
    access = Access(Secret(TOKEN), clock=lambda: now[0])
    for second in range(ATTEMPTS):
        now[0] = float(second)
        assert access.wait() == 0
        assert not access.accepts("wrong")
    assert access.wait() == 52
    now[0] = 60.0
    assert access.wait() == 0
    assert access.accepts(TOKEN)


def test_sessions_are_bounded() -> None:
    """The oldest goes first."""
    access = Access(Secret(TOKEN))
    sessions = [access.admit() for _ in range(SESSIONS + 1)]
    assert [access.knows(session) for session in sessions] == [False] + [True] * SESSIONS
    assert not access.knows("")


async def test_the_health_command_shows_the_token(tmp_path: Path) -> None:
    """Where probes are closed, the gateway's own gets in with the settings that the gateway has."""
    async with admin(tmp_path, token=Secret(TOKEN), open=()) as asked:
        variables = {
            "CLOSE_GATEWAY_CONFIG": "",
            "CLOSE_GATEWAY_ADMIN__OPEN": "",
            "CLOSE_GATEWAY_ADMIN__TOKEN": TOKEN,
            "CLOSE_GATEWAY_ADMIN__LISTEN": str(asked.gateway.gateway.admin),
        }
        result = await asyncio.to_thread(lambda: CliRunner().invoke(main, ["health"], env=variables))
    assert (result.exit_code, result.stdout[:15]) == (0, '{"status":"ok",')
