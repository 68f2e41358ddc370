"""Settings from a file, then the environment, then flags; the later wins. Every problem is found at once."""

import difflib
import enum
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from gateway.config.check import check
from gateway.config.problem import BadConfiguration, Problem
from gateway.config.settings import Settings
from gateway.config.values import Takes, Text, quoted

PREFIX: Final = "CLOSE_GATEWAY_"
FILE_VARIABLE: Final = "CLOSE_GATEWAY_CONFIG"
FLAGS: Final = {
    "upstream.url": "--upstream",
    "listener.listen": "--listen",
    "admin.listen": "--admin",
    "inspect.mode": "--mode",
}
SECTIONS: Final[Mapping[str, Any]] = {section.name: section.type for section in fields(Settings)}
KNOWN: Final = {name: tuple(setting.name for setting in fields(section)) for name, section in SECTIONS.items()}

Name: TypeAlias = tuple[str, str]
"""Section and key."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, and where."""

    value: object
    source: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force, and where each that was given comes from (by its name, as in upstream.timeout)."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
) -> Loaded:
    """Read the settings.

    `flags` and `defaults` are by name, as in {"upstream.url": "https://…"}; what is None there was not given.
    `defaults` stand in for the settings' own. Raises BadConfiguration with every problem found.
    """
    if file is None and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    problems: list[Problem] = []
    given: dict[Name, Given] = {}
    if file is not None:
        given |= _from_file(file, problems)
    given |= _from_environment(environ, problems)
    for name, value in flags.items():
        if value is not None:
            given[_split(name)] = Given(value, FLAGS[name])
    sources = {f"{section}.{key}": value.source for (section, key), value in given.items()}
    for name, value in (defaults or {}).items():
        given.setdefault(_split(name), Given(value, "the command's own default"))
    settings = _validated(given, problems)
    if settings is not None:
        problems += check(settings, sources)
        problems += _unusable_authorities(settings, sources)
    if problems or settings is None:
        raise BadConfiguration(problems)
    return Loaded(settings, sources)


def _split(name: str) -> Name:
    section, _, key = name.partition(".")
    return section, key


def _from_file(file: Path, problems: list[Problem]) -> dict[Name, Given]:
    try:
        sections = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problems.append(_unreadable(file, error))
        return {}
    given: dict[Name, Given] = {}
    for section, settings in sections.items():
        if section not in KNOWN:
            problems.append(_unknown(f"[{section}]", str(file), section, KNOWN))
        elif not isinstance(settings, dict):
            fix = f"Put its settings below a line [{section}]."
            problems.append(Problem(section, str(file), "is a section and holds no value itself", fix))
        else:
            for key, value in settings.items():
                if key in KNOWN[section]:
                    given[section, key] = Given(value, str(file))
                else:
                    problems.append(_unknown(f"{section}.{key}", str(file), key, KNOWN[section]))
    return given


def _unreadable(file: Path, error: Exception) -> Problem:
    if isinstance(error, tomllib.TOMLDecodeError):
        return Problem("The file", str(file), f"is not valid TOML: {error}", "Mend that place.")
    if isinstance(error, UnicodeDecodeError):
        return Problem("The file", str(file), "is not UTF-8 text", "Save it as UTF-8.")
    reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "its name is no file's name"
    return Problem("The file", str(file), f"cannot be read: {reason}", "Name another with --config.")


def _from_environment(environ: Mapping[str, str], problems: list[Problem]) -> dict[Name, Given]:
    names = {f"{PREFIX}{section}__{key}".upper(): (section, key) for section, keys in KNOWN.items() for key in keys}
    given: dict[Name, Given] = {}
    for variable, value in environ.items():
        if variable in names:
            given[names[variable]] = Given(_read(names[variable], value), variable)
        elif variable.startswith(PREFIX) and variable != FILE_VARIABLE:
            problems.append(_unknown(variable, "the environment", variable, [*names, FILE_VARIABLE]))
    return given


def _read(name: Name, text: str) -> object:
    """Take lists apart, which variables hold with commas; pydantic reads numbers and truths from texts itself."""
    is_list = get_origin(_hint(*name)) is tuple
    return [item.strip() for item in text.split(",") if item.strip()] if is_list else text


def _unknown(setting: str, source: str, name: str, known: Any) -> Problem:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0)
    return Problem(setting, source, "is not known", f"The nearest name is {near[0]}; correct it, or take it out.")


def _validated(given: Mapping[Name, Given], problems: list[Problem]) -> Settings | None:
    tree: dict[str, dict[str, object]] = {}
    for (section, key), value in given.items():
        if isinstance(value.value, bool) and _hint(section, key) is not bool:
            problems.append(_misfit((section, key), value.source))  # pydantic would take true for 1
        else:
            tree.setdefault(section, {})[key] = value.value
    try:
        return TypeAdapter(Settings).validate_python(tree)
    except ValidationError as error:
        problems += _explained(error, given)
        return None


def _explained(error: ValidationError, given: Mapping[Name, Given]) -> Iterator[Problem]:
    """Say pydantic's findings in words of ours, one for each setting. Values are not shown: some are secrets."""
    told: set[Name] = set()
    for detail in error.errors(include_url=False, include_input=False):
        name = (str(detail["loc"][0]), str(detail["loc"][1]))
        if name not in told:
            told.add(name)
            yield _misfit(name, given[name].source, detail.get("ctx", {}).get("error"))


def _misfit(name: Name, source: str, reason: object = None) -> Problem:
    what = str(reason) if isinstance(reason, ValueError) else "has a value that does not fit"
    return Problem(".".join(name), source, what, f"It takes {_takes(*name)}.")


def _unusable_authorities(settings: Settings, sources: Mapping[str, str]) -> Iterator[Problem]:
    """Try the authorities out, so that a wrong file is told now and not at the first request."""
    file = settings.upstream.ca_file
    if file is not None:
        try:
            ssl.create_default_context().load_verify_locations(file)
        except OSError as error:  # ssl.SSLError is one
            reason = "holds no certificates" if isinstance(error, ssl.SSLError) else "cannot be read"
            fix = "It takes a PEM file with certificate authorities."
            yield Problem("upstream.ca_file", sources["upstream.ca_file"], f"names a file that {reason}", fix)


def _hint(section: str, key: str) -> Any:
    return get_type_hints(SECTIONS[section], include_extras=True)[key]


def _takes(section: str, key: str) -> str:
    """Say in words what a setting takes."""
    hint = _hint(section, key)
    if get_origin(hint) is tuple:
        return f"a list of {_words(get_args(hint)[0])}"
    return _words(hint)


def _words(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(quoted(member.value) for member in hint)
    if hint is bool:
        return "true or false"
    marks = (mark for mark in get_args(hint)[1:] if isinstance(mark, Text | Takes))
    return next(marks).words
