"""Asks the admin listener of a running gateway.

Rule    An answer is read so far and waited for so long: whatever is at that address, the command ends.
Rule    Nothing that comes back is shown before what a terminal would act on is taken out of it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from gateway.commands.failures import Failed, Unconfigured
from gateway.commands.flags import told_by_flags
from gateway.commands.texts import clean

TIMEOUT: Final = 15.0
SILENCE: Final = 40.0
"""Seconds without a sign of life on a stream, where one comes every 15."""
LARGEST: Final = 134_217_728
"""Bytes of an answer."""
LINE: Final = 4_194_304
"""Bytes of a line of a stream."""
RELOADING: Final = 120.0
"""Seconds: with several workers it is one after the other."""
OK: Final = 200
BAD_REQUEST: Final = 400
EVENTS: Final = "text/event-stream"


class Broken(Exception):
    """A stream has ended. It may be taken up again."""


class AdminClient:
    """Asks the listener at `url`: http://HOST:PORT, or HOST:PORT alone."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = _parts(url)
        self._shown = clean(f"{self._url.scheme}://{self._url.netloc.rpartition('@')[2]}")
        self._headers = {"Accept": "application/json"}
        self._token = token

    def get(self, path: str, query: Mapping[str, str], *members: str) -> Any:
        """Ask; give the JSON, in which these members are. Raises Failed."""
        try:
            with self._asked(path, query, {}, TIMEOUT) as answer:
                return self._json(answer, members)
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None

    def reload(self) -> Any:
        """Have the configuration read anew; give what came of it. Raises Failed, and Unconfigured with the problems."""
        try:
            with self._asked("/api/reload", {}, {}, RELOADING, "POST") as answer:
                if answer.status == BAD_REQUEST:
                    raise _rejected(answer)
                return self._json(answer, ("changed", "needs_restart"))
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None

    def stream(self, path: str, query: Mapping[str, str], after: str | None) -> Iterator[tuple[str, Any]]:
        """Give the events of a stream, each with its id; None for one that says where the stream is, and no more.

        Raises Failed where it does not begin, Broken at its end.
        """
        headers = {} if after is None else {"Last-Event-ID": after}
        begun = False
        try:
            with self._asked(path, query, headers, SILENCE) as answer:
                if answer.status != OK or answer.getheader("Content-Type", "").partition(";")[0] != EVENTS:
                    self._json(answer, ("events",))  # raises: it is an error, or no stream
                begun = True
                yield from _events(answer)
        except (OSError, HTTPException) as error:
            if not begun:
                raise self._unreachable(error) from None
        raise Broken

    @contextmanager
    def _asked(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], timeout: float, method: str = "GET"
    ) -> Iterator[HTTPResponse]:
        host, port = self._url.hostname or "", self._url.port
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        if self._token is not None and "Authorization" not in self._headers:
            self._recognise(kind(host, port, timeout=TIMEOUT))
            self._headers["Authorization"] = f"Bearer {self._token}"
        connection = kind(host, port, timeout=timeout)
        try:
            connection.request(method, f"{path}?{urlencode(query)}", headers={**self._headers, **headers})
            yield connection.getresponse()
        finally:
            connection.close()

    def _recognise(self, connection: HTTPConnection) -> None:
        """See that it is an admin listener before it is shown the token: of a gateway's other port, Close would see it.

        Raises Failed.
        """
        try:
            connection.request("GET", "/login", headers=self._headers)
            if connection.getresponse().getheader("Content-Security-Policy") is None:
                raise Failed(
                    f"{self._shown} is no gateway's admin listener (which is on port 8081 by default): it was not "
                    "shown the token."
                )
        finally:
            connection.close()

    def _json(self, answer: HTTPResponse, members: Collection[str]) -> Any:
        text = answer.read(LARGEST + 1)
        try:
            body = json.loads(text) if len(text) <= LARGEST else None
        except ValueError:
            body = None
        if answer.status == OK and isinstance(body, dict) and body.keys() >= set(members):
            return body
        raise self._refused(answer, body if isinstance(body, dict) else {})

    def _refused(self, answer: HTTPResponse, body: Mapping[str, Any]) -> Failed:
        fields, errors = body.get("field-errors"), body.get("errors")
        if isinstance(fields, dict) and fields:
            return told_by_flags({clean(str(name)): clean(str(what)) for name, what in fields.items()})
        if answer.status == 401:  # noqa: PLR2004 - HTTP's Unauthorized
            if self._token is not None:
                return Failed(f"{self._shown} does not take this token: give the one that it runs with (--token).")
            return Failed(f"{self._shown} wants its token: set CLOSE_GATEWAY_ADMIN__TOKEN, or give --token.")
        if isinstance(errors, list) and errors:
            return Failed(f"{self._shown} answers: {clean(str(errors[0]))}")
        return Failed(f"{self._shown} answers with status {answer.status}: is it the gateway's admin listener?")

    def _unreachable(self, error: Exception) -> Failed:
        reason = clean(getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
        return Failed(f"No gateway answers at {self._shown}: {reason}. Name its admin listener with --admin.")


def _rejected(answer: HTTPResponse) -> Unconfigured:
    """Tell what is wrong with the configuration."""
    try:
        problems = [clean(str(problem)) for problem in json.loads(answer.read(LARGEST))["errors"]]
    except (ValueError, TypeError, KeyError):
        problems = ["the gateway does not say what"]
    lines = "".join(f"\n  {problem}" for problem in problems)
    return Unconfigured(f"Nothing has changed: {len(problems)} problem{'s' * (len(problems) > 1)}:{lines}")


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and parts.port != 0:
            return parts
    raise told_by_flags({"admin": "It takes the URL of an admin listener, such as http://127.0.0.1:8081."})


def _events(answer: HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Read server-sent events (WHATWG HTML, 9.2.6), as far as the gateway writes them."""
    number = ""
    while line := answer.readline(LINE):
        name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
        if name == "id":
            number = value
            yield number, None
        elif name == "data":
            try:
                yield number, json.loads(value)
            except ValueError:
                return
