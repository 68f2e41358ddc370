"""Where settings are given: a file, the environment, flags. What each source names is told apart here, not judged."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from gateway.config.known import KNOWN, LONG, PREFIX, SECTIONS, nearest
from gateway.config.problem import Problem

FILE_VARIABLE: Final = f"{PREFIX}CONFIG"
TLS_FOLDER_VARIABLE: Final = f"{PREFIX}TLS_FOLDER"
"""Where `dev --tls` keeps the certificate that it makes. No setting: `serve` makes none."""
NO_SETTINGS: Final = (FILE_VARIABLE, TLS_FOLDER_VARIABLE)
FORM: Final = f"A variable of upstream.timeout is {PREFIX}UPSTREAM__TIMEOUT, and of the others alike"
FLAGS: Final = {
    "upstream.url": "--upstream",
    "listener.listen": "--listen",
    "admin.listen": "--admin",
    "inspect.mode": "--mode",
    "process.workers": "--workers",
    "log.format": "--json",
}
# kubernetes.io, "Service": each pod is told the addresses of the services around it, in variables that begin with the
# name of the service. One named close-gateway, or close-gateway-admin, would otherwise keep the gateway from starting.
OF_A_SERVICE: Final = re.compile(
    r"CLOSE_GATEWAY(?:_[A-Z0-9]+)*_"
    r"(?:SERVICE_HOST=.*|SERVICE_PORT(?:_[A-Z0-9_]+)?=.*"
    r"|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?=.*|PORT=(?:tcp|udp|sctp)://.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, and where."""

    value: object
    source: str
    spelled_out: bool = False
    """It is a text because its source knows nothing else: a number in it is no mistake."""


Found: TypeAlias = tuple[dict[str, Given], list[Problem]]
"""What was given, by the setting's name, and what is wrong with the source."""


def from_file(file: Path) -> Found:
    """Read a TOML file."""
    source = str(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return from_sections(tomllib.loads(text), source)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem("", source, f"is not UTF-8 in line {line}", "Save it as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        problem = Problem("", source, f"is not valid TOML: {error}", "Mend that place.")
    except RecursionError:
        problem = Problem("", source, "is nested too deeply", "Settings need a section and a key, no more.")
    except OSError as error:
        reason = (error.strerror or "no reason is given").lower()
        problem = Problem("", source, f"cannot be read: {reason}", "Name another with --config.")
    except ValueError:  # Python's limit on digits; or a NUL in the name
        what = "cannot be read: its name, or a number in it, is none that the system could hold"
        problem = Problem("", source, what, "Mend it, or name another with --config.")
    return {}, [problem]


def from_sections(sections: Mapping[str, Any], source: str) -> Found:
    """Take settings by their sections, as a file has them."""
    given: dict[str, Given] = {}
    problems: list[Problem] = []
    for section, settings in sections.items():
        if section not in SECTIONS:
            problems.append(_unknown_section(section, settings, source))
        elif not isinstance(settings, dict):
            fix = f"Put its settings below a line [{section}]."
            problems.append(Problem(section, source, "is a section and holds no value itself", fix))
        else:
            for key, value in settings.items():
                if f"{section}.{key}" in KNOWN:
                    given[f"{section}.{key}"] = Given(value, source)
                else:
                    name = f"{section}.{key}"
                    problems.append(_unknown(name, source, nearest(name, KNOWN), _those_of(section)))
    return given, problems


def _unknown_section(name: str, value: object, source: str) -> Problem:
    sections = f"The sections are {', '.join(SECTIONS)}"
    if isinstance(value, dict):
        near = nearest(name, SECTIONS)
        return _unknown(f"[{name[:LONG]}]", source, near and f"[{near}]", sections)
    return _unknown(name, source, nearest(name, KNOWN), sections)


def _those_of(section: str) -> str:
    keys = (known.key for known in KNOWN.values() if known.section == section)
    return f"In [{section}] there are {', '.join(keys)}"


def _unknown(name: str, source: str, near: str | None, there_are: str) -> Problem:
    """Tell of a name that is not known, and of the one that is near; else of those that there are."""
    shown = name if len(name) <= LONG else f"{name[:LONG]}..."
    told = there_are if near is None else f"The nearest name is {near}"
    return Problem(shown, source, "is not known", f"{told}; correct it, or take it out.")


def from_environment(environ: Mapping[str, str]) -> Found:
    """Read the variables that begin as ours do."""
    names = {known.variable: name for name, known in KNOWN.items()}
    given: dict[str, Given] = {}
    problems: list[Problem] = []
    for variable, value in environ.items():
        if variable in names:
            given[names[variable]] = Given(value, variable, spelled_out=True)
        elif (
            variable.startswith(PREFIX)
            and variable not in NO_SETTINGS
            and not OF_A_SERVICE.fullmatch(f"{variable}={value}")
        ):
            near = _nearest_variable(variable.upper(), [*names, *NO_SETTINGS])
            problems.append(_unknown(variable, "the environment", near, FORM))
    return given, problems


def _nearest_variable(variable: str, known: Iterable[str]) -> str | None:
    """Find the variable that was meant. What all have in common counts for nothing."""

    def spelled(name: str) -> str:
        return name.removeprefix(PREFIX).replace("__", ".")

    names = {spelled(name): name for name in known}
    near = nearest(spelled(variable), names)
    return None if near is None else names[near]


def from_flags(flags: Mapping[str, object]) -> dict[str, Given]:
    """Take the flags that were given, by the names of their settings."""
    return {name: Given(value, FLAGS[name]) for name, value in flags.items() if value is not None}
