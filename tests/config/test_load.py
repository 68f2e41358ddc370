from pathlib import Path

import pytest

from gateway.config.known import KNOWN
from gateway.config.load import Loaded, load
from gateway.config.problem import Problem
from gateway.config.settings import (
    Address,
    AdminSettings,
    AnswerSettings,
    IdentitySettings,
    InspectSettings,
    LogFormat,
    LogSettings,
    Mode,
    RulesSettings,
    Settings,
    UpstreamSettings,
)
from gateway.secret import Secret
from tests.config.loading import CANARY, KEY, KEY_VARIABLE, problems_of, written


def test_nothing_given() -> None:
    """The gateway runs on its defaults, whatever else is in the environment."""
    assert load(None, {"PATH": "/bin", "CLOSE": "x", "CLOSE_GATEWAYS": "x"}, {}) == Loaded(Settings(), {})


def test_the_later_wins(tmp_path: Path) -> None:
    """A file gives way to the environment, that to the flags, and the command's own defaults to all of them."""
    file = written(
        tmp_path, '[upstream]\nurl = "https://a.example"\ntimeout = 1\nconnect_timeout = 1\n[answer]\nmark = false'
    )
    environ = {"CLOSE_GATEWAY_UPSTREAM__URL": "https://b.example/", "CLOSE_GATEWAY_UPSTREAM__TIMEOUT": "2"}
    flags = {"upstream.url": "https://c.example", "inspect.mode": "report", "admin.listen": None}
    loaded = load(file, environ, flags, {"log.format": "console", "answer.mark": True})
    assert loaded == Loaded(
        Settings(
            upstream=UpstreamSettings(url="https://c.example", timeout=2.0, connect_timeout=1.0),
            answer=AnswerSettings(mark=False),
            inspect=InspectSettings(mode=Mode.REPORT),
            log=LogSettings(format=LogFormat.CONSOLE),
        ),
        {
            "upstream.url": "--upstream",
            "upstream.timeout": "CLOSE_GATEWAY_UPSTREAM__TIMEOUT",
            "upstream.connect_timeout": str(file),
            "answer.mark": str(file),
            "inspect.mode": "--mode",
        },
    )


def test_what_the_environment_spells_out() -> None:
    """It knows texts alone: numbers, truths and lists are read from them."""
    environ = {
        "CLOSE_GATEWAY_ADMIN__LISTEN": "off",
        "CLOSE_GATEWAY_ADMIN__HOSTS": "a.example, ::1,,b.example ",
        "CLOSE_GATEWAY_INSPECT__MAX_BODY": "1024",
        "CLOSE_GATEWAY_UPSTREAM__FORWARDED": "true",
        KEY_VARIABLE: "sixteen letters!",
    }
    assert load(None, environ, {}).settings == Settings(
        admin=AdminSettings(listen=None, hosts=("a.example", "::1", "b.example")),
        inspect=InspectSettings(max_body=1024),
        upstream=UpstreamSettings(forwarded=True),
        identity=IdentitySettings(fingerprint_key=Secret("sixteen letters!")),
    )


def test_a_mode_for_each_rule(tmp_path: Path) -> None:
    """By the code, in the file and in the environment; what is no mode, or no code, is told with what is one."""
    file = written(tmp_path, '[rules]\nlead_id_required = "enforce"\nsender_required = "report"')
    environ = {"CLOSE_GATEWAY_RULES__SEND_IN_INVALID": "off"}
    assert load(file, environ, {}).settings.rules == RulesSettings(
        lead_id_required=Mode.ENFORCE, sender_required=Mode.REPORT, send_in_invalid=Mode.OFF
    )
    wrong = written(tmp_path, '[rules]\nlead_id_required = "on"\nlead_required = "off"')
    one, two = problems_of(wrong)
    assert (one.setting, one.fix) == (
        "rules.lead_required",
        "The nearest name is rules.lead_id_required; correct it, or take it out.",
    )
    assert (two.setting, two.fix) == (
        "rules.lead_id_required",
        'Give enforce, report or off; the default is "report".',
    )


def test_a_file_named_by_the_environment(tmp_path: Path) -> None:
    """CLOSE_GATEWAY_CONFIG names one, unless the command does; empty, it names none."""
    file = written(tmp_path, "\ufeff[upstream]\ntimeout = 1")  # as some editors save UTF-8
    variable = {"CLOSE_GATEWAY_CONFIG": str(file)}
    assert load(None, variable, {}).settings.upstream.timeout == 1.0
    assert load(file, {"CLOSE_GATEWAY_CONFIG": "/nowhere"}, {}).settings.upstream.timeout == 1.0
    assert load(None, {"CLOSE_GATEWAY_CONFIG": ""}, {}).settings == Settings()


def test_every_problem_at_once(tmp_path: Path) -> None:
    """One round of mending is enough: each problem names setting, source and fix."""
    file = written(
        tmp_path,
        '[upstrem]\nurl = "x"\n[upstream]\ntimout = 3\nmax_connections = true\n[admin]\nhosts = ["ok", "a:1", 2]\n',
    )
    environ = {"CLOSE_GATEWAY_UPSTREM__URL": CANARY, "CLOSE_GATEWAY_LOOKUPS__TIMEOUT": "-1"}
    flags = {"inspect.mode": "enfroce", "listener.listen": "127.0.0.1:8081"}
    source = str(file)
    hosts = "Give a list of host names without a port, such as gateway.internal; the default is []."
    assert problems_of(file, environ, flags) == [
        Problem("[upstrem]", source, "is not known", "The nearest name is [upstream]; correct it, or take it out."),
        Problem(
            "upstream.timout",
            source,
            "is not known",
            "The nearest name is upstream.timeout; correct it, or take it out.",
        ),
        Problem(
            "CLOSE_GATEWAY_UPSTREM__URL",
            "the environment",
            "is not known",
            "The nearest name is CLOSE_GATEWAY_UPSTREAM__URL; correct it, or take it out.",
        ),
        Problem(
            "upstream.max_connections",
            source,
            "is true, which is not a whole number",
            "Give a whole number from 1 to 1000000; the default is 256.",
        ),
        Problem("admin.hosts", source, 'holds "a:1", which is not a host name or an address without its port', hosts),
        Problem("admin.hosts", source, "holds 2, which is not a text", hosts),
        Problem(
            "lookups.timeout",
            "CLOSE_GATEWAY_LOOKUPS__TIMEOUT",
            'is "-1", which is too small',
            "Give a number of seconds above 0, up to 86400; the default is 2.0.",
        ),
        Problem(
            "inspect.mode",
            "--mode",
            'is "enfroce", which is none of its values',
            'Give enforce, report or off; the default is "enforce".',
        ),
        Problem(
            "admin.listen",
            "--listen",
            "is 127.0.0.1:8081, and clients connect to 127.0.0.1:8081",
            'Choose another port with --admin HOST:PORT, or "off".',
        ),
    ]


def test_what_is_invalid_causes_no_second_problem() -> None:
    """A default that stands in for it while the rest is checked is not what anybody gave."""
    flags = {"listener.listen": "8081", "admin.listen": "127.0.0.1:8080"}
    assert [problem.setting for problem in problems_of(flags=flags)] == ["listener.listen"]


INVALID = [  # as TOML has it, what is said of it
    ("upstream.timeout", '"60"', 'is "60", which is not a number'),
    ("upstream.timeout", "true", "is true, which is not a number"),
    ("upstream.timeout", "nan", "is nan, which is not a finite number"),
    ("upstream.timeout", "-inf", "is -inf, which is not a finite number"),
    ("upstream.timeout", "0", "is 0, which is too small"),
    ("upstream.timeout", "86400.5", "is 86400.5, which is too large"),
    ("upstream.timeout", "2026-11-24", "is a date or a time, which is not a number"),
    ("shutdown.grace", "-0.5", "is -0.5, which is too small"),
    ("inspect.max_body", "1.0", "is 1.0, which is not a whole number"),
    ("inspect.max_body", "0x" + "f" * 6000, "is a very large number, which is too large"),
    ("answer.mark", "1", "is 1, which is neither true nor false"),
    ("answer.mark", '"yes"', 'is "yes", which is neither true nor false'),
    ("log.level", '"loud\\u001b[2J"', 'is "loud\\u001b[2J", which is none of its values'),
    ("log.level", '["info"]', "is a list, which is none of its values"),
    ("admin.hosts", '"a.example"', 'is "a.example", which is not a list'),
    ("admin.listen", "8081", "is 8081, which is not a text"),
    ("listener.listen", '"off"', 'is "off", which has no port'),
    ("listener.listen", '"' + "x" * 99 + '"', 'is "' + "x" * 60 + '...", which has no port'),
    ("upstream.url", '"api.close.com"', 'is "api.close.com", which does not begin with https:// or http://'),
    ("upstream.url", '"https://a.example/api"', None),
    ("upstream.url", '"https://a.example:0"', None),
    ("upstream.url", '"https://a.example:"', None),
    ("upstream.url", '"https://a.example:x"', "has a host or port that cannot be read"),
    ("upstream.url", '"https://"', None),
    ("upstream.url", '"https://[::1"', "has a host or port that cannot be read"),
    ("upstream.url", '"https://a\\n.example"', None),
    ("upstream.url", '"https://a.example?"', "goes on after the host; paths come from the clients"),
    ("upstream.url", f'"https://u:{CANARY}@a.example"', "names a user; clients bring their own credentials"),
    ("upstream.ca_file", '""', 'is "", which is empty'),
    ("upstream.ca_file", '"a\\u0000b"', 'is "a\\u0000b", which holds a NUL, which no path may'),
    ("rejections.store", '""', "is empty"),
    ("rejections.store", '"a\\u0000b"', "holds a NUL, which no path may"),
    ("rejections.store", f'"mysql://u:{CANARY}@h/d"', "is a URL that does not begin with postgresql://"),
    ("rejections.store", f'"postgres://{CANARY}"', "is a URL that does not begin with postgresql://"),
    ("rejections.store", f'"postgresql://u:{CANARY} @h/d"', "holds a blank or a letter that no URL has"),
    ("rejections.store", f'"postgresql://u:{CANARY}@[h/d"', "has a host that cannot be read"),
    ("rejections.store", '"postgresql://u:***@h/d"', "has stars where a password was"),
    ("rejections.store", f'["{CANARY}"]', "is not a text"),
    ("rejections.keep_days", "0", "is 0, which is too small"),
    ("rejections.keep_entries", "1_000_000_001", "is 1000000001, which is too large"),
    ("traces.endpoint", '"localhost:4318"', 'is "localhost:4318", which does not begin with https:// or http://'),
    ("traces.endpoint", '"http://a.example:4318"', None),
    ("traces.endpoint", '"http:///v1/traces"', None),
    ("traces.endpoint", f'"http://u:{CANARY}@a.example/v1"', None),
    ("traces.endpoint", f'"http://a.example/v1?key={CANARY}"', None),
    ("traces.sample", "1.5", "is 1.5, which is too large"),
    (KEY, f'"{CANARY}"', "is too short"),
    (KEY, f'["{CANARY}"]', "is not a text"),
    (KEY, "123456789012345678", "is not a text"),
]


@pytest.mark.parametrize(("name", "value", "what"), INVALID)
def test_an_invalid_value(tmp_path: Path, name: str, value: str, what: str | None) -> None:
    """It is shown with what is wrong with it, in one line, unless it may be secret; the fix says what is taken."""
    section, _, key = name.partition(".")
    (problem,) = problems_of(written(tmp_path, f"[{section}]\n{key} = {value}"))
    assert problem.setting == name
    if what is not None:
        assert problem.what.removeprefix(f"is {value}, which ") == what.removeprefix(f"is {value}, which ")
    assert KNOWN[name].words in problem.fix
    assert CANARY not in str(problem)
    assert str(problem).isprintable()


def test_a_key_with_bytes_that_are_no_text() -> None:
    """What could not be written as UTF-8 later on is refused now."""
    (problem,) = problems_of(environ={KEY_VARIABLE: f"{CANARY * 2}\udcff"})
    assert (problem.setting, problem.what) == (KEY, "is not UTF-8")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[upstream]\ntimeout = = 3", "is not valid TOML: Invalid value (at line 2, column 11)"),
        (b"[upstream]\n# \xe9", "is not UTF-8 in line 2"),
        ("a = " + "[" * 5000, "is nested too deeply"),
        ("a = " + "9" * 5000, "cannot be read: its name, or a number in it, is none that the system could hold"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, content: str | bytes, what: str) -> None:
    """It is told where it goes wrong, and what else is wrong is told as well."""
    file = written(tmp_path, content)
    found = problems_of(file, {"CLOSE_GATEWAY_LOG__LEVEL": "loud"})
    assert [(problem.setting, problem.source) for problem in found] == [
        ("", str(file)),
        ("log.level", "CLOSE_GATEWAY_LOG__LEVEL"),
    ]
    assert found[0].what == what


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, a directory, no name for a file: each is a problem and no traceback."""
    found = [problems_of(file)[0].what for file in (tmp_path / "none", tmp_path, Path("a\0b"))]
    assert found == [
        "cannot be read: no such file or directory",
        "cannot be read: is a directory",
        "cannot be read: its name, or a number in it, is none that the system could hold",
    ]


@pytest.mark.parametrize(
    ("text", "setting", "near"),
    [
        ("[upstream]\nconnect-timeout = 1", "upstream.connect-timeout", "upstream.connect_timeout"),
        ("[listener]\nmax_body = 1", "listener.max_body", "inspect.max_body"),
        ("max_body = 1", "max_body", "inspect.max_body"),
        ("upstream_url = 1", "upstream_url", "upstream.url"),
        ("[rules]\nsend_in = 1", "rules.send_in", "rules.send_in_invalid"),
        ("[log]\nlvel = 1", "log.lvel", "log.level"),
        ("[log]\nzzz = 1", "log.zzz", None),
        ("[upstream]\nx = 1", "upstream.x", None),
        ('[log]\n"" = 1', "log.", None),
        ('["a\\nb"]', "[a\nb]", None),
        ("[log]\n" + "k" * 200_000 + " = 1", "log." + "k" * 76 + "...", None),
    ],
)
def test_an_unknown_name(tmp_path: Path, text: str, setting: str, near: str | None) -> None:
    """The nearest known one is named, the same key of another section first; where none is near, all there are."""
    (problem,) = problems_of(written(tmp_path, text))
    assert (problem.setting, problem.what) == (setting, "is not known")
    told = f"The nearest name is {near}" if near else problem.fix.partition(";")[0]
    assert problem.fix == f"{told}; correct it, or take it out."
    all_there_are = ("In [log] there are format, level", "In [upstream] there are url, ", "The sections are ")
    assert near or told.startswith(all_there_are)


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("UPSTREAM_URL", "UPSTREAM__URL"),
        ("upstream__url", "UPSTREAM__URL"),
        ("CONFG", "CONFIG"),
        ("config", "CONFIG"),
        ("LOG__LVL", "LOG__LEVEL"),
        ("FOO", None),
        ("LOG__ZZZ", None),
    ],
)
def test_an_unknown_variable(variable: str, near: str | None) -> None:
    """The nearest one is named, and where none is near, how they are made."""
    (problem,) = problems_of(None, {f"CLOSE_GATEWAY_{variable}": "x"})
    told = "A variable of upstream.timeout is CLOSE_GATEWAY_UPSTREAM__TIMEOUT, and of the others alike"
    if near:
        told = f"The nearest name is CLOSE_GATEWAY_{near}"
    assert (problem.setting, problem.fix) == (f"CLOSE_GATEWAY_{variable}", f"{told}; correct it, or take it out.")
    assert str(problem).isprintable()


@pytest.mark.parametrize("text", ['upstream = "x"', '[[upstream]]\nurl = "https://a.example"'])
def test_a_section_that_is_none(tmp_path: Path, text: str) -> None:
    """A value where a section belongs is told so."""
    file = written(tmp_path, text)
    fix = "Put its settings below a line [upstream]."
    assert problems_of(file) == [Problem("upstream", str(file), "is a section and holds no value itself", fix)]


def test_variables_of_a_kubernetes_service() -> None:
    """A service named after the gateway does not keep it from starting; a setting misspelt still does."""
    environ = {
        "CLOSE_GATEWAY_SERVICE_HOST": "10.0.0.1",
        "CLOSE_GATEWAY_SERVICE_PORT": "80",
        "CLOSE_GATEWAY_SERVICE_PORT_HTTP_API": "80",
        "CLOSE_GATEWAY_PORT": "tcp://10.0.0.1:80",
        "CLOSE_GATEWAY_PORT_80_TCP": "tcp://10.0.0.1:80",
        "CLOSE_GATEWAY_PORT_80_TCP_PROTO": "tcp",
        "CLOSE_GATEWAY_ADMIN_SERVICE_HOST": "10.0.0.2",
        "CLOSE_GATEWAY_ADMIN_PORT_81_TCP_ADDR": "10.0.0.2",
    }
    assert load(None, environ, {}) == Loaded(Settings(), {})
    assert len(problems_of(environ=environ | {"CLOSE_GATEWAY_LISTENER_PORT": "80"})) == 1


def test_every_setting_says_what_it_takes() -> None:
    """Whoever gives something wrong is told what would be right, for settings of every kind."""
    assert {known.words for known in KNOWN.values()} == {
        "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:/PATH for a UNIX socket",
        "HOST:PORT, such as 127.0.0.1:8081 or [::1]:8081, or off",
        "a URL such as http://127.0.0.1:4318/v1/traces, or off",
        "a share from 0 to 1",
        "a URL of scheme, host and, where it is needed, port, such as https://api.close.com",
        "a whole number from 1 to 256",
        "a list of host names without a port, such as gateway.internal",
        "a number of seconds above 0, up to 86400",
        "a number of seconds from 0 to 86400",
        "a list of addresses and networks of proxies, such as 10.0.0.5 or 10.1.0.0/16, or unix",
        'the mode of a file in three octal digits, in quotes, such as "660"',
        "a text of at least 16 characters, or leave the setting out",
        "a text of at least 16 characters without blanks, or leave the setting out",
        "a list of paths that stay open: /healthz, /readyz, /metrics",
        "a whole number from 1 to 1000000",
        "a whole number from 1 to 1000000000",
        "a whole number of days from 1 to 36500",
        "a whole number of bytes from 1 to 1073741824",
        "debug, info, warning or error",
        "enforce, report or off",
        "forward or reject",
        "json or console",
        "shape, redacted or full",
        "the path of a file",
        "the path of a file, :memory:, a URL such as postgresql://user@host/database, or off",
        "a URL such as redis://user:password@host:6379/0, rediss://host or unix:///run/a.sock, or off",
        "true or false",
    }


def test_an_address_of_each_kind(tmp_path: Path) -> None:
    """The addresses in force are those given."""
    file = written(
        tmp_path, '[listener]\nlisten = "[::]:0"\n[admin]\nlisten = "a.example:1"\ntoken = "sixteen-letters!"'
    )
    settings = load(file, {}, {}).settings
    assert (settings.listener.listen, settings.admin.listen) == (Address("::", 0), Address("a.example", 1))
