"""Who may look at what the sandbox holds, and change how it runs?

Rule    Only who asks for localhost, an address, or a name that was given. A web page elsewhere can point its own name
        at this machine (DNS rebinding) and read what a browser then shows it; the Host header gives it away. An address
        cannot be pointed anywhere.
Rule    What changes something comes from a page of the sandbox's own, or from no page at all.
Source  OWASP, "Cross-Site Request Forgery Prevention": Fetch Metadata, and Origin where a browser sends none.
Needs   The method and the header fields. Close's API, under /api/, is not guarded so: it asks for a key, and has to be
        reachable by any name.
"""

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Final

from gateway.sandbox.refusal import Refusal, refused

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OF_OUR_OWN: Final = frozenset({"same-origin", "none"})


def objection(method: str, headers: Mapping[str, str], names: Collection[str]) -> Refusal | None:
    """Say why not, if not."""
    name = _name_in(headers.get("Host", ""))
    if not (name == "localhost" or name in names or _is_address(name)):
        return refused(421, "The sandbox shows itself under localhost and addresses. Add this name with --host NAME.")
    if method not in SAFE and not _is_same_origin(headers):
        return refused(403, "This comes from a page of another site.")
    return None


def _name_in(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_same_origin(headers: Mapping[str, str]) -> bool:
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in OF_OUR_OWN
    origin = headers.get("Origin")
    # No Origin: no browser. "null" is for pages that hide where they come from, which ours does not do.
    return origin is None or origin.partition("://")[2].lower() == headers.get("Host", "").lower()
