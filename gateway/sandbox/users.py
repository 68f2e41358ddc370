"""Who can sign in: one user of one organization, with a key and a token."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, and the credentials that stand for them."""

    id: str
    email: str
    first_name: str
    last_name: str
    organization_id: str
    organization_name: str
    api_key: str = field(repr=False)
    access_token: str = field(repr=False, default="")

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def profile(user: User) -> dict[str, Any]:
    """A user as others of the organization see them."""
    return {
        "id": user.id,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.name,
        "image": None,
        "organizations": [user.organization_id],
    }


def own_profile(user: User, accounts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A user as `/me/` shows them to themselves, with the accounts that they connected."""
    shown = ("_type", "id", "identities", "organization_id", "user_id")
    return profile(user) | {
        "organizations": [{"id": user.organization_id, "name": user.organization_name}],
        "email_accounts": [{name: account[name] for name in shown} for account in accounts],
    }


def seen_whole(user: User) -> dict[str, Any]:
    """A user as a look at the whole sandbox shows them: credentials are no more than a hint at which they are."""
    return profile(user) | {
        "organization_name": user.organization_name,
        "api_key": _hint(user.api_key),
        "access_token": _hint(user.access_token),
    }


def _hint(credential: str) -> str | None:
    return credential[: min(8, len(credential) // 2)] + "…" if credential else None
