"""The token of the admin listener, wherever it was given."""

from typing import ClassVar, Final

from gateway.config.settings import AdminSettings
from gateway.config.values import token
from gateway.errors import GatewayError
from gateway.secret import Secret

LONGEST: Final = 4096
"""Characters of a file that are read: what is longer is no token, and may have no end."""


class TokenUnreadable(GatewayError):
    """The file is not there, or holds no token. Its text goes on after "a file that"."""

    code: ClassVar[str] = "token_unreadable"


def admin_token(settings: AdminSettings) -> Secret | None:
    """Give the token that those who ask have to bring; None: there is none. Raises TokenUnreadable."""
    if settings.token_file is None:
        return settings.token
    try:
        with settings.token_file.open(encoding="utf-8") as file:
            return token(file.read(LONGEST).strip())
    except UnicodeDecodeError:
        raise TokenUnreadable("is not UTF-8") from None
    except ValueError as error:
        raise TokenUnreadable(f"holds what {error}") from None
    except OSError as error:
        raise TokenUnreadable(f"cannot be read: {(error.strerror or 'no reason is given').lower()}") from None
