"""How clients reach the gateway: what a curl line and a page have to say of it."""

import shlex
from dataclasses import dataclass

from gateway.config.listening import UnixSocket
from gateway.config.values import Address


@dataclass(frozen=True, slots=True)
class Reach:
    """The downstream listener, as seen from outside."""

    listen: Address | UnixSocket
    tls: bool = False
    instead: str | None = None
    """The URL that clients call, where it is another proxy that they connect to."""

    @property
    def url(self) -> str:
        """Where this machine reaches it. By a UNIX socket any host does; localhost is what others would say too."""
        if self.instead is not None:
            return self.instead
        return self._url(self.listen if isinstance(self.listen, UnixSocket) else self.listen.from_here)

    @property
    def listening(self) -> str:
        """The same with the address as it is listened on, be it an unspecified one."""
        return self._url(self.listen)

    @property
    def curl(self) -> str:
        """The command that `url` goes behind."""
        if self.instead is not None or not isinstance(self.listen, UnixSocket):
            return "curl"
        path = self.listen.path
        if path.startswith("@"):
            return f"curl --abstract-unix-socket {shlex.quote(path[1:])}"
        return f"curl --unix-socket {shlex.quote(path)}"

    def instance(self, machine: str) -> str:
        """Name the gateway among others that share a store with it."""
        return f"{machine}:{self.listen.path if isinstance(self.listen, UnixSocket) else self.listen.port}"

    def _url(self, listen: Address | UnixSocket) -> str:
        return f"{'https' if self.tls else 'http'}://{'localhost' if isinstance(listen, UnixSocket) else listen}"
