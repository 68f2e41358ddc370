"""Envoy that asks this gateway about email writes, as one peer, run as a module with PORT and the upstream's port.

Two processes are started, and stopped on SIGTERM; what they take is added up. The gateway is as the bench has it alone.
"""

import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tests.bench.peers.envoy import asking
from tests.bench.peers.peer import Place
from tests.bench.process import free_port


def main(port: int, upstream_port: int) -> None:
    """Run both until told to stop: Envoy once the gateway listens, so that it is asked from the first request on."""
    service_port = free_port()
    where = ("--upstream", f"http://127.0.0.1:{upstream_port}", "--listen", f"127.0.0.1:{service_port}")
    started = [subprocess.Popen((sys.executable, "-m", "gateway", "ext-proc", *where, "--admin", "off"))]  # noqa: S603

    def stop(number: int, frame: FrameType | None) -> None:
        for process in started:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    with TemporaryDirectory() as folder:
        while started[0].poll() is None and not listens(service_port):
            time.sleep(0.05)
        if started[0].poll() is not None:
            sys.exit("The gateway has ended before Envoy could ask it.")  # Envoy alone would let all pass
        started.append(subprocess.Popen(asking(Place(port, upstream_port, Path(folder)), service_port)))  # noqa: S603
        for process in started:
            process.wait()


def listens(port: int) -> bool:
    """Tell whether somebody listens there."""
    with closing(socket.socket()) as asking_socket:
        return asking_socket.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
