"""HAProxy, plain: one thread, kept-alive upstream connections that every client may use."""

from collections.abc import Sequence
from typing import Final

from tests.bench.peers.peer import Place, program

CONFIGURATION: Final = """
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  default_backend close
backend close
  server close 127.0.0.1:{upstream_port}
"""


def command(place: Place) -> Sequence[str]:
    """Give the command that starts it, having written its configuration."""
    target = place.folder / f"haproxy-{place.port}.cfg"
    target.write_text(CONFIGURATION.format(port=place.port, upstream_port=place.upstream_port), encoding="utf-8")
    return (program("haproxy"), "-q", "-db", "-f", str(target))
