"""Settings from a file, then the environment, then flags; the later wins. Every problem is found at once."""

import functools
import importlib
import importlib.util
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.cache import CacheLocation
from gateway.config.check import check
from gateway.config.known import KNOWN, SECTIONS, Known
from gateway.config.problem import BadConfiguration, Problem
from gateway.config.settings import AdminSettings, InspectSettings, ListenerSettings, RulesSettings, Settings
from gateway.config.sources import (
    FILE_VARIABLE,
    Found,
    Given,
    from_environment,
    from_file,
    from_flags,
    from_sections,
)
from gateway.config.store import StoreKind
from gateway.config.tls import CertificateUnusable, server_context
from gateway.config.token import TokenUnreadable, admin_token
from gateway.config.values import quoted, spelled

LONG: Final = 60
"""Characters of a value that are shown."""
DRIVER: Final = "psycopg"
CACHE_DRIVER: Final = "redis"
TRACING: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
LARGE: Final = 128
"""Bits of a number that is shown; Python refuses to write out very large ones."""
# A URL may hold a password or a token, and a value may be in the wrong place.
HINTS_OF_A_SECRET: Final = frozenset("@?#")
# What is never shown, whatever is wrong with it.
SECRETS: Final = frozenset({"admin.token", "identity.cache", "identity.fingerprint_key", "rejections.store"})
SENTENCES: Final = {
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "enum": "is none of its values",
    "finite_number": "is not a finite number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "int_from_float": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is too large",
    "int_type": "is not a whole number",
    "less_than_equal": "is too large",
    "string_type": "is not a text",
    "tuple_type": "is not a list",
}


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
    in_file, problems = from_file(file) if file is not None else ({}, [])
    in_environment, more = from_environment(environ)
    given = in_file | in_environment | from_flags(flags)
    own = {name: Given(value, "the command's own default") for name, value in (defaults or {}).items()}
    return _loaded(given, own, [*problems, *more])


def load_sections(sections: Mapping[str, Any], source: str) -> Settings:
    """Make settings of sections as a file has them, and of nothing else. Raises BadConfiguration."""
    given, problems = from_sections(sections, source)
    return _loaded(given, {}, problems).settings


def _loaded(given: Mapping[str, Given], own: Mapping[str, Given], problems: list[Problem]) -> Loaded:
    settings, invalid = _settings({**own, **given})
    sources = {name: value.source for name, value in given.items()}
    found = [*problems, *invalid, *_conflicts(settings, sources, {problem.setting for problem in invalid})]
    if found:
        raise BadConfiguration(found)
    return Loaded(settings, sources)


def load_admin(file: Path | None, environ: Mapping[str, str]) -> AdminSettings:
    """Read how to reach the admin listener of a gateway, for those who ask it.

    What else stands in the configuration is that gateway's to judge: it may have other variables than who asks, and
    tells what is wrong itself. Raises BadConfiguration where a file cannot be read, or its [admin] not be used.
    """
    given, problems = _of_sections(file, environ, "admin.")
    settings, invalid = _settings(given)
    found = [*problems, *invalid, *_token(settings.admin, {name: value.source for name, value in given.items()})]
    if found:
        raise BadConfiguration(found)
    return settings.admin


def load_rules(file: Path | None, environ: Mapping[str, str]) -> tuple[InspectSettings, RulesSettings]:
    """Read how a gateway judges, for those who judge as it does elsewhere, where files that it names may not be.

    Raises BadConfiguration where a file cannot be read, or its [inspect] or [rules] not be used.
    """
    given, problems = _of_sections(file, environ, "inspect.", "rules.")
    settings, invalid = _settings(given)
    if problems or invalid:
        raise BadConfiguration([*problems, *invalid])
    return settings.inspect, settings.rules


def _of_sections(file: Path | None, environ: Mapping[str, str], *sections: str) -> Found:
    """Read what is given of these sections, with what is wrong in them or with the whole."""
    if file is None and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    in_file, problems = from_file(file) if file is not None else ({}, [])
    in_environment, more = from_environment(environ)
    given = {name: value for name, value in (in_file | in_environment).items() if name.startswith(sections)}
    found = [one for one in (*problems, *more) if one.setting == "" or one.setting.startswith(sections)]
    return given, found


def _settings(given: Mapping[str, Given]) -> tuple[Settings, list[Problem]]:
    """Make settings of what is valid; the rest has its default, and a problem."""
    problems: list[Problem] = []
    sections: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for name, value in given.items():
        known = KNOWN[name]
        try:
            sections[known.section][known.key] = _read(known, value)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            problems += [_explained(known, value, detail) for detail in details]
    made = {section: its_class(**sections[section]) for section, its_class in SECTIONS.items()}
    return Settings(**made), problems


def _read(known: Known, given: Given) -> object:
    strict = known.is_plain and not given.spelled_out
    return _adapter(known.name).validate_python(_parts(known, given), strict=strict)


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    known = KNOWN[name]
    return TypeAdapter(known.hint, config=ConfigDict(allow_inf_nan=False) if known.is_plain else None)


def _parts(known: Known, given: Given) -> object:
    """Part a list that its source could only give as a text, at its commas."""
    if known.is_list and given.spelled_out:
        return [part.strip() for part in str(given.value).split(",") if part.strip()]
    return given.value


def _explained(known: Known, given: Given, detail: ErrorDetails) -> Problem:
    """Say one of pydantic's findings in words of ours."""
    end = SENTENCES.get(detail["type"], "cannot be used")
    if detail["type"] == "value_error":
        end = str(detail["ctx"]["error"])
    value = _parts(known, given)
    if detail["loc"] and isinstance(value, list):
        value = value[int(detail["loc"][0])]
    shown = None if known.name in SECRETS else _shown(value)
    quotes = ", without quotes" if known.is_plain and isinstance(value, str) and not given.spelled_out else ""
    default = "" if known.default is None else f"; the default is {spelled(known.default)}"
    what = end if shown is None else f"{'holds' if detail['loc'] else 'is'} {shown}, which {end}"
    return Problem(known.name, given.source, what, f"Give {known.words}{quotes}{default}.")


def _shown(value: object) -> str | None:
    """Name a value as far as it can be shown; None where it cannot."""
    match value:
        case str():
            shown = value if len(value) <= LONG else f"{value[:LONG]}..."
            return None if HINTS_OF_A_SECRET & set(value) else quoted(shown)
        case int() if value.bit_length() > LARGE:
            return "a very large number"
        case bool() | int() | float():
            return spelled(value)
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or a time"


def _conflicts(settings: Settings, sources: Mapping[str, str], invalid: set[str]) -> Iterator[Problem]:
    """Find what does not go together, and the file that is not there. What is invalid already is left out."""
    for conflict in check(settings):
        if invalid.isdisjoint(conflict.names):
            source = next((sources[name] for name in conflict.names if name in sources), "the defaults")
            yield Problem(conflict.names[0], source, conflict.what, conflict.fix)
    ca_file = settings.upstream.ca_file
    if ca_file is not None and (what := _unusable(ca_file)) is not None:
        fix = "Name a readable file of certificates in PEM, or leave the setting out."
        yield Problem("upstream.ca_file", sources["upstream.ca_file"], f"is {quoted(str(ca_file))}, which {what}", fix)
    yield from _certificate(settings.listener, sources)
    yield from _token(settings.admin, sources)
    store = settings.rejections.store
    if store is not None and store.kind is StoreKind.SERVER and importlib.util.find_spec(DRIVER) is None:
        what = f"names a PostgreSQL database, and its driver, {DRIVER}, is not installed"
        fix = "Install close-gateway[postgres], or name a file."
        yield Problem("rejections.store", sources["rejections.store"], what, fix)
    cache = settings.identity.cache
    if cache is not None:
        problems = _cache_problems(cache)
        yield from (Problem("identity.cache", sources["identity.cache"], what, fix) for what, fix in problems)
    problem = None if settings.traces.endpoint is None else _sending_problem()
    if problem is not None:
        yield Problem("traces.endpoint", sources["traces.endpoint"], *problem)


def _sending_problem() -> tuple[str, str] | None:
    """Find why no spans can be sent, and what mends it. What is found in order is loaded: it is needed next."""
    try:
        for module in TRACING:
            importlib.import_module(module)
    except ModuleNotFoundError:
        what = "names a collector, and what sends spans there is not installed"
        return what, "Install close-gateway[otel], or say off."
    except ImportError:  # xds-protos has files of the same names, older ones, and whichever is installed last wins
        what = "names a collector, and what sends spans there cannot be loaded"
        fix = "Have opentelemetry-proto installed last (pip install --force-reinstall --no-deps opentelemetry-proto)"
        return what, f"{fix}, or say off."
    return None


def _token(admin: AdminSettings, sources: Mapping[str, str]) -> Iterator[Problem]:
    try:
        admin_token(admin)
    except TokenUnreadable as error:
        fix = "Name a readable file with a token of at least 16 characters and no blanks, or leave the setting out."
        yield Problem("admin.token_file", sources["admin.token_file"], f"names a file that {error}", fix)


def _cache_problems(cache: CacheLocation) -> Iterator[tuple[str, str]]:
    """Find what of the machine the shared cache lacks: what is wrong, and what mends it."""
    if importlib.util.find_spec(CACHE_DRIVER) is None:
        what = f"names a Redis or Valkey, and its driver, {CACHE_DRIVER}, is not installed"
        yield what, "Install close-gateway[redis], or leave the setting out."
    unusable = None if cache.ca_file is None else _unusable(cache.ca_file)
    if unusable is not None:
        fix = "Name a readable file of certificates in PEM, or leave ssl_ca_certs out."
        yield f"names in ssl_ca_certs a file that {unusable}", fix


def _certificate(listener: ListenerSettings, sources: Mapping[str, str]) -> Iterator[Problem]:
    if listener.tls_certificate is None or listener.tls_key is None:
        return
    try:
        server_context(listener.tls_certificate, listener.tls_key)
    except CertificateUnusable as error:
        yield Problem(error.setting, sources[error.setting], f"names a file that {error.what}", error.fix)


def _unusable(ca_file: Path) -> str | None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except ssl.SSLError:
        return "holds no certificate in PEM"
    except OSError as error:
        return f"cannot be read: {(error.strerror or 'no reason is given').lower()}"
    return None
