"""nginx, plain: one worker, kept-alive upstream connections, streaming both ways. And as a cheap upstream."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.peers.peer import Place, program
from tests.bench.upstream import LEAD_BODY

CONFIGURATION: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx-{port}.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path {folder}/nginx-{port}-body;
  proxy_temp_path {folder}/nginx-{port}-proxy;
  fastcgi_temp_path {folder}/nginx-{port}-fastcgi;
  uwsgi_temp_path {folder}/nginx-{port}-uwsgi;
  scgi_temp_path {folder}/nginx-{port}-scgi;
  upstream close {{
    server 127.0.0.1:{upstream_port};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://close;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""
ANSWERING: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx-{port}.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      default_type application/json;
      return 200 '{answer}';
    }}
  }}
}}
"""
"""Answers everything as the bench's own upstream answers a GET. It reads no body."""


def found() -> bool:
    """Tell whether it is installed."""
    return shutil.which("nginx") is not None


def command(place: Place) -> Sequence[str]:
    """Give the command that starts it, having written its configuration."""
    text = CONFIGURATION.format(folder=place.folder, port=place.port, upstream_port=place.upstream_port)
    return _command(text, place.port, place.folder)


def answering(port: int, folder: Path) -> Sequence[str]:
    """Give the command that starts it as the upstream itself."""
    return _command(ANSWERING.format(folder=folder, port=port, answer=LEAD_BODY.decode()), port, folder)


def _command(configuration: str, port: int, folder: Path) -> Sequence[str]:
    target = folder / f"nginx-{port}.conf"
    target.write_text(configuration, encoding="utf-8")
    return (program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(target))
