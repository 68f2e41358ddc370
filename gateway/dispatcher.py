"""Sends each exchange its way, and answers it whatever happens on it."""

from typing import ClassVar, Final

from structlog.typing import FilteringBoundLogger

from gateway.answer import Stamp
from gateway.errors import GatewayError, places
from gateway.exchange import Exchange
from gateway.front import Outlet
from gateway.interceptor import Interceptor
from gateway.router import PassThrough, Route, may_be_ours, route
from gateway.wire.error import gateway_error

ALLOW: Final = b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
"""RFC 9110, 15.5.6: a 405 has to say what is allowed. What is not for a resource of Close's, Close says."""


class MethodRefused(GatewayError):
    """RFC 9110, 9.3.6: CONNECT asks for a tunnel, and this is no proxy of that kind."""

    code: ClassVar[str] = "method_refused"
    status: ClassVar[int] = 405


class InternalError(GatewayError):
    """A fault of the gateway itself."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500


class Dispatcher:
    """Sends each exchange its way. `interceptor` is None where nothing is to be looked into (mode off)."""

    def __init__(self, outlet: Outlet, interceptor: Interceptor | None, log: FilteringBoundLogger) -> None:
        self._outlet = outlet
        self._interceptor = interceptor
        self._log = log

    def dispatch(self, exchange: Exchange) -> None:
        """See to it that the request is answered, now or later, whatever happens."""
        try:
            if self._interceptor is not None and may_be_ours(exchange.method, exchange.target):
                what = _route(exchange)
                if not isinstance(what, PassThrough):
                    self._interceptor.intercept(exchange, what)
                    return
            if exchange.method == "CONNECT":
                self._refuse_method(exchange)
            else:
                self._outlet.forward(exchange)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the client gets an answer
            self.fault(exchange, fault)

    def _refuse_method(self, exchange: Exchange) -> None:
        error = MethodRefused("The gateway opens no tunnels.")
        exchange.meters.refused[error.code] += 1
        self._log.warning("request_refused", code=error.code, reason=str(error), **exchange.facts())
        lines = Stamp(exchange.id).lines + ALLOW
        self._outlet.answer(exchange, gateway_error(error, exchange.id), lines, keep_alive=False)

    def fault(self, exchange: Exchange, fault: Exception) -> None:
        """Answer for a fault of the gateway's own, and tell what failed and where."""
        exchange.give_up()  # nothing that is under way for it is of use, and none of it may answer a second time
        exchange.meters.failures[InternalError.code] += 1
        if exchange.trace is not None:
            exchange.trace.failed(InternalError.code)
        self._log.error("internal_error", error=type(fault).__name__, at=places(fault), **exchange.facts())
        if exchange.answered:
            exchange.break_off(reset=True)  # the answer has begun, and must not look complete
            return
        if exchange.mark is not None:
            exchange.mark = f"failed; {InternalError.code}"
        answer = gateway_error(InternalError("The gateway has failed."), exchange.id)
        self._outlet.answer(exchange, answer, Stamp(exchange.id).lines, keep_alive=False)


def _route(exchange: Exchange) -> Route:
    override = None
    if exchange.method == "POST":
        # Of several, any might count; joined they name no method.
        override = b",".join(exchange.values(b"x-http-method-override")).decode("latin-1")
    return route(exchange.method, exchange.target, override)
