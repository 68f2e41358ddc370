"""Who is asking?

Rule    HTTP Basic with the API key as the user name and an empty password, or `Bearer` and an access token.
Source  developer.close.com: Authentication with API keys, Authentication with OAuth.
Needs   The Authorization field and the users. What a client gives as the password is not looked at.
"""

import base64
import binascii
from collections.abc import Iterable

from gateway.sandbox.refusal import Refusal, refused
from gateway.sandbox.users import User


def user_of(authorization: str | None, users: Iterable[User]) -> User:
    """Find the user that a credential stands for."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic":
            key = _user_name(value)
            found = [user for user in users if key and user.api_key == key]
        case "bearer":
            found = [user for user in users if value and user.access_token == value]
        case _:
            found = []
    if not found:
        raise _unauthorized()
    return found[0]


def _user_name(basic: str) -> str | None:
    try:
        return base64.b64decode(basic, validate=True).decode("latin-1").partition(":")[0]
    except (binascii.Error, ValueError):  # ValueError: a letter beyond ASCII
        return None


def _unauthorized() -> Refusal:
    return refused(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="sandbox"'})
