"""Pure: what passes, without the credentials in it.

Rule    What is a secret by its name becomes stars: fields, cookies, parameters of a query or a form, members of JSON.
        The request's own credential does so wherever it stands, and so does whatever looks like one of Close's keys,
        and what stands before the @ of a URL.
"""

import base64
import contextlib
import re
from typing import Final
from urllib.parse import quote, unquote

from gateway.exchange import Fields

STARS: Final = "***"
SECRET: Final = re.compile(
    r"api[-_]?key|token|secret|passw|passphrase|authorization|credential|signature|session|cookie", re.IGNORECASE
)
OF_OAUTH: Final = frozenset({"code", "code_verifier", "assertion", "key", "sig"})
"""What is a secret in a query or a form; elsewhere such a name says nothing."""
# Nothing in it goes back (+ behind a repetition): else a long text would take a hundred times its size in memory.
MEMBER: Final = re.compile(r'((?<!\\)"((?:[^"\\]|\\.){1,128}+)"\s*+:\s*+)("[^"\\]*+(?:\\.[^"\\]*+)*+"?)', re.DOTALL)
PARAMETER: Final = re.compile(r"(?:(?<=[?&;#])|^)([^=&;?#]{1,128})=([^&;#]*)")
END_OF_PATH: Final = re.compile("[?#]")
KEY: Final = re.compile(r"\bapi_[0-9A-Za-z._-]{12,}")
USERINFO: Final = re.compile(r"(:(?:\\?/){2})[^\s/?#\"\\<>]{1,240}@")
"""Within JSON, slashes may be escaped. It may be no longer than gateway.wire.spot looks into a text."""
SHORTEST: Final = 6
"""Characters of a credential that is looked for everywhere: a shorter one stands in too much by chance."""
FORM: Final = "application/x-www-form-urlencoded"


class Redaction:
    """Takes out of a request, and of its answer, what these fields of the request say of credentials."""

    def __init__(self, fields: Fields = ()) -> None:
        own = {secret for name, value in fields if name.lower() == b"authorization" for secret in _secrets(value)}
        self._own = re.compile("|".join(re.escape(secret) for secret in sorted(own, key=len, reverse=True)) or "(?!)")

    def text(self, text: str) -> str:
        """Take out what is known to be a credential, or looks like one."""
        return _urls(KEY.sub(STARS, self._own.sub(STARS, text)))

    def field(self, name: str, value: str) -> str:
        """Write the value of a header field."""
        return STARS if is_secret(name) else self.target(value)  # it may be a URL

    def target(self, target: str) -> str:
        """Write a request target, or a URL."""
        path = END_OF_PATH.split(target, maxsplit=1)[0]
        rest = target[len(path) :]
        return self.text(f"{path}{rest[:1]}{self._parameters(rest[1:])}")

    def body(self, text: str, mime: str) -> str:
        """Write a body of this type: a part of one will do."""
        if mime.partition(";")[0].strip().lower() == FORM:
            return self.text(self._parameters(text))
        return self.text(MEMBER.sub(_member, text))

    def value(self, name: str | None, text: str) -> str:
        """Write a text of JSON: a gateway.wire.spot.Redact."""
        return STARS if name is not None and is_secret(name) else self.text(text)

    def _parameters(self, text: str) -> str:
        return PARAMETER.sub(_parameter, text)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return SECRET.search(name) is not None


def _parameter(found: re.Match[str]) -> str:
    name = unquote(found[1])
    if is_secret(name) or name.lower() in OF_OAUTH:
        return f"{found[1]}={STARS}"
    value = unquote(found[2])
    return found[0] if (without := _urls(value)) == value else f"{found[1]}={quote(without, safe='*')}"


def _urls(text: str) -> str:
    return USERINFO.sub(rf"\1{STARS}@", text)


def _member(found: re.Match[str]) -> str:
    return f'{found[1]}"{STARS}"' if is_secret(found[2]) else found[0]


def _secrets(authorization: bytes) -> set[str]:
    """List what an Authorization says, in each form that may stand elsewhere."""
    scheme, _, rest = authorization.strip().partition(b" ")
    found = [rest.strip()]
    if scheme.lower() == b"basic":
        with contextlib.suppress(ValueError):
            found += base64.b64decode(rest, validate=False).split(b":", 1)
    texts = (secret.decode("latin-1") for secret in found)
    return {text for text in texts if len(text) >= SHORTEST}
