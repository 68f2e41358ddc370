"""What is being asked: one request, free of the server that received it.

Rule    A POST with X-HTTP-Method-Override stands for a request of that method. If that is GET, the body may hold more
        of the query, under `_params`.
Source  developer.close.com: Filter parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.sandbox.bodies import read_json

OVERRIDE: Final = "X-HTTP-Method-Override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. The names in `headers` are compared whatever their case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return read_json(self.body, self.headers.get("Content-Type"))


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. None is no content."""

    body: dict[str, Any] | None
    status: int = 200


def as_meant(call: Call) -> Call:
    """The request that this one stands for. HEAD asks for what GET asks for."""
    method = call.headers.get(OVERRIDE, "").upper() if call.method == "POST" else ""
    if method == "GET" and call.body:
        return replace(call, method=method, query={**call.query, **_params(call.json())})
    method = method or call.method
    return replace(call, method="GET" if method == "HEAD" else method)


def _params(payload: Any) -> dict[str, str]:
    params = payload.get("_params") if isinstance(payload, dict) else None
    return {name: _text(value) for name, value in params.items()} if isinstance(params, dict) else {}


def _text(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
