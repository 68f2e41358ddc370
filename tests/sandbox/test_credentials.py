import base64

import pytest

from gateway.sandbox import Refusal, User
from gateway.sandbox.credentials import user_of
from gateway.sandbox.seed import JANE, JOHN

USERS = [JANE, JOHN]


def basic(text: str) -> str:
    """What a client sends for a user name and a password."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "user"),
    [
        (f"Basic {basic('api_jane_sandbox_key:')}", JANE),
        (f"basic  {basic('api_john_sandbox_key:')} ", JOHN),
        (f"Basic {basic('api_john_sandbox_key:ignored')}", JOHN),
        ("Bearer oauth_jane_sandbox_token", JANE),
        ("bearer oauth_john_sandbox_token", JOHN),
    ],
)
def test_a_known_credential(authorization: str, user: User) -> None:
    """A key is the user name of Basic, a token follows Bearer; the scheme's case does not matter."""
    assert user_of(authorization, USERS) is user


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic %%%",
        "Basic é",
        f"Basic {basic('api_nobody_sandbox_key:')}",
        f"Basic {basic('oauth_jane_sandbox_token:')}",
        "Bearer",
        "Bearer api_jane_sandbox_key",
        "api_jane_sandbox_key",
    ],
)
def test_an_unknown_credential(authorization: str | None) -> None:
    """Anything else is a 401, and the answer says how to sign in."""
    with pytest.raises(Refusal) as refusal:
        user_of(authorization, USERS)
    assert (refusal.value.status, refusal.value.body) == (401, {"error": "Unauthorized"})
    assert refusal.value.headers == {"WWW-Authenticate": 'Basic realm="sandbox"'}
