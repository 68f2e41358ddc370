"""Close's own client with development=True, and `close-gateway dev --tls` where it goes."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from closeio_api import Client, ValidationError

from gateway.local_api import LISTEN, NAME, PORT
from gateway.sandbox.seed import DRAFT_ID, JANE, LEAD_ID
from tests.test_commands import read_until, started, stopped

NEW = {"lead_id": LEAD_ID, "to": ["lead@example.net"]}


@dataclass
class Dev:
    """A gateway for a developer, as a process of its own."""

    process: subprocess.Popen[str]
    said: str

    @property
    def port(self) -> int:
        found = re.search(rf"https://{re.escape(NAME)}:(\d+)/api/v1/", self.said)
        assert found is not None, self.said
        return int(found[1])


@contextmanager
def dev(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dev]:
    """Run it on free ports, its certificate in this folder."""
    monkeypatch.setenv("CLOSE_GATEWAY_TLS_FOLDER", str(folder))
    free = "127.0.0.1:0"
    with started("dev", "--tls", "--tls-listen", free, "--listen", free, "--admin", free) as process:
        yield Dev(process, read_until(process.stdout, "Ctrl-C"))


def lead(to: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do for this process what a line in /etc/hosts does for all; and port 5001 may be taken, so lead to another."""
    resolve = socket.getaddrinfo

    def hosts(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        here = (host, port) == (NAME, PORT)
        return resolve(*(("127.0.0.1", to.port) if here else (host, port)), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hosts)
    monkeypatch.setenv("NO_PROXY", "*")


def test_where_the_client_goes() -> None:
    """There dev --tls listens unless it is told otherwise, whichever loopback the name leads to."""
    assert Client("key", development=True).base_url == f"https://{NAME}:{PORT}/api/v1/"
    assert [str(address) for address in LISTEN] == [f"127.0.0.1:{PORT}", f"[::1]:{PORT}"]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_client_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered as by Close, refused and filled in as the rules have it; one that verifies is told of a file."""
    folder = tmp_path / "tls"
    with dev(folder, monkeypatch) as gateway:
        assert f"  certificate: {folder}/local-api.crt\n" in gateway.said
        lead(gateway, monkeypatch)
        client = Client(JANE.api_key, development=True)
        assert client.get("me")["email"] == JANE.email
        with pytest.raises(ValidationError) as refused:
            client.post("activity/email", NEW | {"status": "outbox"})
        assert refused.value.field_errors == {"sender": "This field is required."}
        assert refused.value.response.headers["X-Close-Gateway"] == "rejected; sender_required"
        assert client.post("activity/email", NEW | {"status": "sent"})["sender"] == JANE.email
        with pytest.raises(ValidationError, match="sender_required"):
            client.put(f"activity/email/{DRAFT_ID}", {"status": "outbox"})
        verifying = Client(JANE.api_key, development=True)
        verifying.verify = str(folder / "local-api.crt")
        assert verifying.get("me")["email"] == JANE.email
        code, _, err = stopped(gateway.process, signal.SIGINT)
    assert (code, err) == (0, "")
