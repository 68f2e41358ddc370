"""Pure: settings that are fine each by itself, and every problem between them."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gateway.config.problem import Problem
from gateway.config.settings import Address, Settings

ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check(settings: Settings, sources: Mapping[str, str]) -> Iterator[Problem]:
    """Find what does not go together. `sources` tell where a setting was given, by its name."""
    listen, admin = settings.listener.listen, settings.admin.listen
    if admin is not None and admin.port != 0 and _meet(listen.host, listen.port, admin):
        yield Problem(
            "admin.listen",
            sources.get("admin.listen") or sources.get("listener.listen", "the defaults"),
            f"is where clients connect already ({listen})",
            'Choose another port with --admin HOST:PORT, or "off".',
        )
    parts = urlsplit(settings.upstream.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if listen.port != 0 and _meet(parts.hostname or "", port, listen):
        yield Problem(
            "upstream.url",
            sources.get("upstream.url", "the defaults"),
            f"leads back to the gateway itself ({listen})",
            "Name Close, https://api.close.com, or a sandbox on another port.",
        )


def _meet(host: str, port: int, listener: Address) -> bool:
    """Whether a connection to host and port comes out at the listener."""
    if port != listener.port:
        return False
    either = {host, listener.host}
    return len(either) == 1 or bool(either & ANYWHERE) or either <= LOOPBACK
