"""What config/compose.yaml describes: its services, and the environment that each gets."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tests.deployed.pod import CONFIG, documents

COMPOSE: Final = documents(CONFIG / "compose.yaml")[0]
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
GATEWAYS: Final = [name for name, service in SERVICES.items() if service.get("image") == "close-gateway"]
EXAMPLE: Final = CONFIG / "compose.env.example"
GIVEN: Final = {
    "ADMIN_TOKEN": "token-of-a-test-0002",
    "FINGERPRINT_KEY": "fingerprints-of-a-test",
    "POSTGRES_PASSWORD": "word",
}
"""What somebody puts into config/.env."""
# Compose, "Interpolation": ${NAME:?why it is needed} and ${NAME:-default}.
VARIABLE: Final = re.compile(r"\$\{([A-Z_]+)(?::([?-])([^}]*))?\}")


def needed(text: str) -> set[str]:
    """Find the variables that Compose does not start without."""
    return {name for name, kind, _ in VARIABLE.findall(text) if kind != "-"}


def optional(text: str) -> set[str]:
    """Find the variables that have a default."""
    return {name for name, kind, _ in VARIABLE.findall(text) if kind == "-"}


def environment(service: str, given: Mapping[str, str] = GIVEN) -> dict[str, str]:
    """Give the environment of a service as Compose makes it."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if kind == "-":
            return given.get(name) or str(rest)
        return given[name]

    variables: dict[str, str] = SERVICES[service].get("environment", {})
    return {name: VARIABLE.sub(value, text) for name, text in variables.items()}
