import json
import math
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.config.known import KNOWN, SECTIONS, nearest
from gateway.config.load import Loaded, load
from gateway.config.problem import BadConfiguration
from gateway.config.values import quoted
from tests.config.loading import CANARY, KEY_VARIABLE, written

names = st.sampled_from([*SECTIONS, *(known.key for known in KNOWN.values())]) | st.text(max_size=8)
texts = st.text(max_size=12) | st.sampled_from(["off", "127.0.0.1:8080", "[::1]:0", "https://a.example", "report", "1"])
scalars = (
    texts
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**301)
    | st.floats()
    | st.just(f"x{CANARY}@")
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=4
)


def toml(value: object) -> str:
    """Write a value as TOML, inline."""
    match value:
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return quoted(value)
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return json.dumps(value)


def loads_or_tells(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> None:
    """Load; where that fails, see that it fails as it should and shows no secret."""
    outcome: Loaded | BadConfiguration
    try:
        outcome = load(file, environ, flags)
    except BadConfiguration as bad:
        outcome = bad
    if isinstance(outcome, Loaded):
        assert CANARY not in repr(outcome)
        return
    assert outcome.problems
    assert CANARY not in str(outcome)
    assert CANARY not in repr(outcome.problems)
    assert all(str(problem).isprintable() for problem in outcome.problems)
    assert (outcome.__cause__, outcome.__context__) == (None, None)


JUNK = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@JUNK
@given(sections=st.dictionaries(names, values | st.dictionaries(names, values, max_size=4), max_size=4), key=values)
def test_whatever_a_file_says(tmp_path: Path, sections: dict[str, object], key: object) -> None:
    """It is loaded, or every problem told, and what stands in the place of a secret is never shown."""
    secrets = {
        "identity": {"fingerprint_key": [CANARY, key]},
        "rejections": {"store": f"mysql://{CANARY}"},
        "admin": {"token": f"{CANARY} {CANARY}"},
    }
    lines = [f"{quoted(name)} = {toml(value)}" for name, value in (sections | secrets).items()]
    loads_or_tells(written(tmp_path, "\n".join(lines).encode("utf-8", "replace")), {}, {})


@JUNK
@given(st.binary())
@example(b"\xef\xbb\xbf")
@example(b"[upstream]\r\ntimeout = 1\r\n")
def test_whatever_a_file_is(tmp_path: Path, content: bytes) -> None:
    """Bytes of any kind are loaded or told to be wrong."""
    loads_or_tells(written(tmp_path, content), {}, {})


junk = st.text(st.characters(), max_size=20) | texts  # lone surrogates too: bytes that are no UTF-8


@JUNK
@given(
    environ=st.dictionaries(
        st.sampled_from([known.variable for known in KNOWN.values()]) | junk.map("CLOSE_GATEWAY_".__add__), junk
    ),
    key=junk,
)
def test_whatever_the_environment_says(environ: dict[str, str], key: str) -> None:
    """It is loaded, or every problem told, and a key of whatever bytes is never shown."""
    environ.pop("CLOSE_GATEWAY_CONFIG", None)
    secrets = {
        KEY_VARIABLE: CANARY + key,
        "CLOSE_GATEWAY_REJECTIONS__STORE": f"postgresql://u:{CANARY}{key}@h",
        "CLOSE_GATEWAY_ADMIN__TOKEN": CANARY + key,
    }
    loads_or_tells(None, environ | secrets, {"listener.listen": key})


@given(st.text())
def test_the_nearest_name_is_a_known_one(name: str) -> None:
    """However far off a name is; of one that is known it is that one."""
    assert nearest(name, KNOWN) in {None, *KNOWN}
    assert [nearest(known, KNOWN) for known in KNOWN] == list(KNOWN)
