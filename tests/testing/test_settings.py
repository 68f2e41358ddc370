from dataclasses import replace

import pytest

from gateway.config.problem import BadConfiguration
from gateway.config.settings import Address, AdminSettings, Mode, RejectionsSettings, RulesSettings, Settings
from gateway.testing.settings import Sections, settings_of

AMISS: list[tuple[Sections, list[str]]] = [
    (
        {"rules": {"lead_required": "enforce", "status_unknown": "nope"}},
        [
            "rules.lead_required (from the test) is not known. The nearest name is rules.lead_id_required;",
            'rules.status_unknown (from the test) is "nope", which is none of its values. Give enforce, report or off;',
        ],
    ),
    ({"rule": {}}, ["[rule] (from the test) is not known. The nearest name is [rules]; correct it, or take it out."]),
    (
        {"rules": "enforce"},
        ["rules (from the test) is a section and holds no value itself. Put its settings below a line [rules]."],
    ),
    (
        {"admin": {"listen": "0.0.0.0:1"}, "upstream": {"url": "https://api.close.com"}},
        [
            "[admin] (from the test) is set by the fixture itself. Leave it out.",
            "upstream.url (from the test) is set by the fixture itself. Leave it out.",
        ],
    ),
    ({"upstream": "https://api.close.com"}, ["upstream (from the test) is a section and holds no value itself."]),
]


def test_a_test_sets_what_concerns_it() -> None:
    """Rules and time-outs are the test's; where the gateway listens, and that it keeps nothing, is not."""
    made = settings_of({"rules": {"lead_id_required": "enforce"}, "upstream": {"timeout": 0.5}})
    assert made.rules == RulesSettings(lead_id_required=Mode.ENFORCE)
    assert made.upstream == replace(Settings().upstream, timeout=0.5)
    assert made.listener.listen == Address("127.0.0.1", 0)
    assert (made.admin, made.rejections) == (AdminSettings(listen=None), RejectionsSettings(store=None))


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines with different environments see the same tests pass."""
    monkeypatch.setenv("CLOSE_GATEWAY_RULES__SENDER_REQUIRED", "off")
    monkeypatch.setenv("CLOSE_GATEWAY_UPSTREAM__URL", "https://api.close.com")
    assert settings_of({}).rules == RulesSettings()


@pytest.mark.parametrize(("sections", "problems"), AMISS)
def test_what_is_amiss_is_told(sections: Sections, problems: list[str]) -> None:
    """Each problem names the setting and what mends it."""
    with pytest.raises(BadConfiguration) as bad:
        settings_of(sections)
    told = [str(problem) for problem in bad.value.problems]
    assert len(told) == len(problems)
    assert all(one.startswith(wanted) for one, wanted in zip(told, problems, strict=True)), told
