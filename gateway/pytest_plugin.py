"""The pytest plugin: a gateway in front of a sandbox of Close for each test that asks for one.

Rule    Whoever does not ask pays next to nothing: of the gateway nothing is imported until a test does.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

if TYPE_CHECKING:
    from gateway.testing import CloseGateway
    from gateway.testing.background import Background

Sections: TypeAlias = Mapping[str, object]
"""Settings by their sections, as in a file."""

MARKER: Final = "close_gateway"
USAGE: Final = '@pytest.mark.close_gateway(rules={"lead_id_required": "enforce"})'
EXAMPLE: Final = '{"rules": {"lead_id_required": "enforce"}}'
STARTED: "Final[pytest.StashKey[CloseGateway]]" = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker takes."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**sections): settings of the gateway for this test, by their section, such as "
        'rules={"lead_id_required": "enforce"}.',
    )


@pytest.fixture(scope="session")
def _close_gateway_background() -> "Iterator[Background]":
    """The thread in which gateways and sandboxes run, one for all tests."""
    from gateway.testing.background import Background

    background = Background()
    yield background
    background.close()


@pytest.fixture
def close_gateway_settings() -> Sections:
    """Settings of `close_gateway`, by their section: none. Override it in a conftest.py to have some for all tests
    there, such as {"rules": {"lead_id_required": "enforce"}}. What a marker says goes before it.
    """
    return {}


@pytest.fixture
def close_gateway(
    request: pytest.FixtureRequest,
    close_gateway_settings: Sections,
    _close_gateway_background: "Background",
) -> "Iterator[CloseGateway]":
    """A Close Gateway in front of a sandbox of Close, both on free ports of 127.0.0.1, new for each test.
    Point a client at `.url` with `.api_key`; then `.rejections` are the email writes that were refused, `.reports`
    those that broke a rule that is only watched, and `.emails` what the sandbox holds.

    `.owner` is the user whose key it is, `.lead_id` a lead to write to; `.seed_draft(…)` and `.seed_lead(…)` put more
    there beforehand. `.clock.advance(…)` has what is scheduled sent; `.requests` are those that reached the sandbox.

    @pytest.mark.close_gateway(rules={"lead_id_required": "enforce"}) sets settings for a test, the fixture
    `close_gateway_settings` for many.
    """
    from gateway.config.problem import BadConfiguration
    from gateway.testing.running import running
    from gateway.testing.settings import settings_of

    try:
        settings = settings_of(_sections(close_gateway_settings, request.node))
    except BadConfiguration as error:
        raise pytest.fail.Exception(f"The settings of close_gateway cannot be used:\n{error}", pytrace=False) from None
    with running(_close_gateway_background, settings) as started:
        request.node.stash[STARTED] = started
        yield started


def _sections(beneath: object, node: pytest.Item) -> Sections:
    """Join what the fixture gives with what markers say, the nearest last. What is amiss in it is told later."""
    if not isinstance(beneath, Mapping):
        pytest.fail(f"The fixture close_gateway_settings gives {beneath!r}. Return {EXAMPLE}.", pytrace=False)
    sections = dict(beneath)
    for marker in reversed(list(node.iter_markers(MARKER))):
        if marker.args:
            pytest.fail(f"Name the sections: {USAGE}.", pytrace=False)
        for section, given in marker.kwargs.items():
            before = sections.get(section)
            sections[section] = {**before, **given} if isinstance(before, dict) and isinstance(given, dict) else given
    return sections


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a test that fails what the gateway refused during it."""
    report = yield
    started = item.stash.get(STARTED, None)
    if report.failed and started is not None and (told := started.told()):
        report.sections.append(("close-gateway", told))
    if started is not None and report.when == "teardown":
        del item.stash[STARTED]  # pytest keeps its tests to the end of the run
    return report
