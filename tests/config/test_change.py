"""What a configuration that was read anew changes, and what waits for a restart."""

from dataclasses import replace
from pathlib import Path

from gateway.config.change import FIXED, change, clashes
from gateway.config.known import KNOWN
from gateway.config.settings import (
    Address,
    AdminSettings,
    InspectSettings,
    ListenerSettings,
    Mode,
    Settings,
    UpstreamSettings,
)
from gateway.secret import Secret

BEFORE = Settings()
TOKEN = Secret("canary-canary-canary")


def test_what_is_fixed_exists() -> None:
    """A setting that is renamed is renamed here too."""
    assert set(KNOWN) >= FIXED


def test_the_readme_names_what_is_fixed() -> None:
    """All of it, where it tells how to change things."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    told = readme.partition("What changes at a restart alone")[2].partition("##")[0]
    assert [name for name in sorted(FIXED) if f"`{name}`" not in told and f"`{KNOWN[name].key}`" not in told] == []


def test_nothing_changes_by_itself() -> None:
    """The same settings read again change nothing."""
    done = change(BEFORE, Settings())
    assert (done.settings, done.changed, done.needs_restart) == (BEFORE, {}, ())


def test_what_can_changes_and_what_cannot_waits() -> None:
    """In one section, too: the port stays, the limit beside it is in force; a secret is named and not told."""
    listener = ListenerSettings(listen=Address("127.0.0.1", 9000), max_headers=7)
    admin = AdminSettings(token=TOKEN, hosts=("a.example",))
    wanted = replace(BEFORE, listener=listener, admin=admin, inspect=InspectSettings(mode=Mode.REPORT))
    done = change(BEFORE, wanted)
    assert done.settings == replace(wanted, listener=ListenerSettings(max_headers=7))
    assert done.changed == {
        "listener.max_headers": 7,
        "inspect.mode": "report",
        "admin.hosts": ["a.example"],
        "admin.token": "***",
    }
    assert done.needs_restart == ("listener.listen",)
    assert list(clashes(done)) == []


def test_a_token_does_not_go_before_the_listener_that_needs_it() -> None:
    """Fine by itself, and not together with what stays: the log of rejections would lie open until the restart."""
    before = replace(BEFORE, admin=AdminSettings(listen=Address("0.0.0.0", 8081), token=TOKEN))
    (problem,) = clashes(change(before, BEFORE))
    assert problem.setting == "admin.listen"
    assert problem.fix.endswith("Or restart the gateway, which changes admin.listen too.")


def test_an_upstream_that_leads_back_until_the_restart() -> None:
    """The port that it names is the gateway's own as long as that one is open."""
    wanted = Settings(
        listener=ListenerSettings(listen=Address("127.0.0.1", 9000)),
        upstream=UpstreamSettings(url="http://127.0.0.1:8080"),
    )
    assert [problem.setting for problem in clashes(change(BEFORE, wanted))] == ["upstream.url"]
