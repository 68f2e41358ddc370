"""The gateway in somebody's tests: what the fixture `close_gateway` of `gateway.pytest_plugin` gives, and its types."""

from gateway.testing.rejection import Rejection
from gateway.testing.running import CloseGateway, SandboxClock

__all__ = ["CloseGateway", "Rejection", "SandboxClock"]
