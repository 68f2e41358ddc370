"""Pure: settings that are fine each by itself, and everything that does not go together among them."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway.config.settings import Address, AdminSettings, IdentitySettings, Settings
from gateway.config.store import StoreKind

PORTS: Final = {"http": 80, "https": 443}
LOCALHOST: Final = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """Settings that cannot be in force together."""

    names: tuple[str, ...]
    """The settings, and first the one to change."""
    what: str
    fix: str


def check(settings: Settings) -> Iterator[Conflict]:
    """Find every conflict. What only the network knows, such as whose a host name is, is no conflict."""
    listen, admin = settings.listener.listen, settings.admin.listen
    if admin is not None and _share_a_port(listen, admin):
        yield Conflict(
            ("admin.listen", "listener.listen"),
            f"is {admin}, and clients connect to {listen}",
            'Choose another port with --admin HOST:PORT, or "off".',
        )
    yield from _access(settings.admin)
    yield from _sharing(settings.identity)
    store, workers = settings.rejections.store, settings.process.workers
    if workers > 1 and store is not None and store.kind is StoreKind.MEMORY:
        yield Conflict(
            ("rejections.store", "process.workers"),
            f"is {store}, which no other process sees, and there are {workers} workers",
            'Name a file, a PostgreSQL database or "off", or have one worker.',
        )
    upstream = _address(settings.upstream.url)
    for name, listener in (("listener.listen", listen), ("admin.listen", admin)):
        if listener is not None and _leads_to(upstream, listener):
            yield Conflict(
                ("upstream.url", name),
                f"leads back to the gateway itself, which listens on {listener}",
                "Name Close, https://api.close.com, or a sandbox on another port.",
            )


def _access(admin: AdminSettings) -> Iterator[Conflict]:
    """Whoever can reach the log of rejections has to show a token, unless only this machine can."""
    if admin.token is not None and admin.token_file is not None:
        yield Conflict(("admin.token_file", "admin.token"), "is given beside the token itself", "Take one of them out.")
    given = admin.token is not None or admin.token_file is not None
    if admin.listen is not None and not given and not admin.listen.is_loopback:
        yield Conflict(
            ("admin.listen", "admin.token", "admin.token_file"),
            f"is {admin.listen}, which other machines may reach, and there is no token to keep them out",
            "Set CLOSE_GATEWAY_ADMIN__TOKEN to a secret of at least 16 characters, or admin.token_file to the path of "
            "a file with one, or listen on 127.0.0.1.",
        )


def _sharing(identity: IdentitySettings) -> Iterator[Conflict]:
    """What stands in a shared cache is keyed with the secret: without one, no gateway could read what another wrote."""
    if identity.cache is not None and identity.fingerprint_key is None:
        yield Conflict(
            ("identity.cache", "identity.fingerprint_key"),
            "is given without the secret that the gateways share",
            "Set CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY to the same secret of at least 16 characters on all of them, "
            "or leave the cache out.",
        )


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.hostname or "", parts.port or PORTS[parts.scheme])


def _share_a_port(one: Address, other: Address) -> bool:
    """Whether the system would refuse to listen on both. Port 0 is a free one each time."""
    if one.port != other.port or one.port == 0:
        return False
    return any(_overlap(mine, others) for mine in _hosts(one) for others in _hosts(other))


def _overlap(one: str, other: str) -> bool:
    """Whether two hosts are one to listen on: an unspecified address stands for all of its family."""
    if one == other:
        return True
    first, second = _ip(one), _ip(other)
    if first is None or second is None or first.version != second.version:
        return False
    return first == second or first.is_unspecified or second.is_unspecified


def _leads_to(target: Address, listener: Address) -> bool:
    """Whether a connection to the target is sure to come out at the listener."""
    if target.port != listener.port:
        return False
    return any(_reaches(host, own) for host in _hosts(target) for own in _hosts(listener))


def _reaches(host: str, own: str) -> bool:
    if host == own:
        return True
    first, second = _ip(host), _ip(own)
    if first is None or second is None or first.version != second.version:
        return False
    return first == second or (second.is_unspecified and (first.is_loopback or first.is_unspecified))


def _hosts(address: Address) -> frozenset[str]:
    host = address.host.lower()
    return LOCALHOST if host == "localhost" else frozenset({host})


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
