"""Listening sockets, bound before anything accepts from them."""

import socket
from contextlib import ExitStack

from gateway.config.values import Address

BACKLOG = 1024
"""Connections that may wait for being accepted."""


def bind(address: Address) -> list[socket.socket]:
    """Bind and listen, once for each address that the name stands for. Raises OSError, and leaves nothing open then."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    with ExitStack() as stack:
        for family, kind, protocol, _, where in dict.fromkeys(found):
            listening = stack.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(where)
            listening.listen(BACKLOG)
            listening.setblocking(False)
            bound.append(listening)
        stack.pop_all()
    return bound
