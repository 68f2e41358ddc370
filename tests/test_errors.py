import errno
import socket

import pytest

from gateway.errors import GatewayError, PortTaken

END = "with --listen HOST:PORT (setting listener.listen); port 0 picks a free one."
TAKEN = "127.0.0.1:8080 is taken by another program. Stop that one, or choose another port"
REFUSED = "Cannot listen on 127.0.0.1:8080: permission denied. Choose another address"
ELSEWHERE = "Cannot listen on 127.0.0.1:8080: cannot assign requested address. Choose another address"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EADDRINUSE, TAKEN), (errno.EACCES, REFUSED), (errno.EADDRNOTAVAIL, ELSEWHERE)],
)
def test_a_port_that_is_not_to_be_had(number: int, expected: str) -> None:
    """The error says which address, why not, and which flag and setting change it."""
    error = PortTaken("listener.listen", "--listen", "127.0.0.1:8080", OSError(number, "as the system says"))
    assert (str(error), error.code, error.status) == (f"{expected} {END}", "port_taken", 500)


def test_a_unix_socket_that_is_not_to_be_had() -> None:
    """It has no port, and what is in its place is no program."""
    error = PortTaken("listener.listen", "--listen", "unix:/a", OSError(errno.EEXIST, "as the system says"))
    assert str(error) == (
        "Cannot listen on unix:/a: what is there is no socket, and is left as it is. Choose another path "
        "with --listen unix:/PATH (setting listener.listen)."
    )


def test_an_address_that_nobody_knows() -> None:
    """A name that does not resolve has an error number of another kind; the text is still a sentence."""
    failure = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    text = str(PortTaken("admin.listen", "--admin", "nowhere.invalid:1", failure))
    assert text.startswith("Cannot listen on nowhere.invalid:1: ")
    assert text.endswith("with --admin HOST:PORT (setting admin.listen); port 0 picks a free one.")


def test_errors_have_one_base() -> None:
    """Who catches GatewayError catches every one of them, and nothing else."""
    assert issubclass(PortTaken, GatewayError)
    assert GatewayError.__bases__ == (Exception,)
    assert GatewayError.status == 500
