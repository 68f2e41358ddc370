"""mitmproxy in reverse mode, with the rule as an add-on; bodies of over 1 MB are streamed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.peers.peer import Place, program

ADD_ON: Final = Path(__file__).with_name("mitmproxy_addon.py")


def command(place: Place) -> Sequence[str]:
    """Give the command that starts it."""
    options = {
        "confdir": place.folder,
        "flow_detail": 0,
        "stream_large_bodies": "1m",
        "upstream_port": place.upstream_port,
    }
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    listen = ("--listen-host", "127.0.0.1", "--listen-port", str(place.port))
    reverse = f"reverse:http://127.0.0.1:{place.upstream_port}"
    return (program("mitmdump"), "-q", "--mode", reverse, *listen, "-s", str(ADD_ON), *settings)
