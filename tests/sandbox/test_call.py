import pytest

from gateway.sandbox.call import Call, as_meant


def call(method: str, override: str | None = None, body: bytes = b"") -> Call:
    """A call with a query of its own."""
    headers = {} if override is None else {"X-HTTP-Method-Override": override}
    return Call(method=method, path="/", query={"_limit": "1"}, headers=headers, body=body)


@pytest.mark.parametrize(
    ("method", "override", "meant"),
    [
        ("POST", None, "POST"),
        ("POST", "", "POST"),
        ("POST", "put", "PUT"),
        ("POST", "DELETE", "DELETE"),
        ("POST", "GET", "GET"),
        ("PUT", "GET", "PUT"),
        ("HEAD", None, "GET"),
    ],
)
def test_the_method_meant(method: str, override: str | None, meant: str) -> None:
    """A POST may stand for another method; nothing else may."""
    assert as_meant(call(method, override)).method == meant


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b'{"_params": {"_skip": 2, "lead_id": ["a", "b"]}}', {"_limit": "1", "_skip": "2", "lead_id": "a,b"}),
        (b'{"_params": {"_limit": 5}}', {"_limit": "5"}),
        (b'{"_params": 7}', {"_limit": "1"}),
        (b'{"status": "outbox"}', {"_limit": "1"}),
        (b"[]", {"_limit": "1"}),
    ],
)
def test_a_query_in_the_body(body: bytes, query: dict[str, str]) -> None:
    """Where GET is meant, the body adds to the query."""
    assert as_meant(call("POST", "GET", body)).query == query
    assert as_meant(call("POST", "PUT", body)).query == {"_limit": "1"}
