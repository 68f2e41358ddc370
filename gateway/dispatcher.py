"""Sends each exchange its way, and answers it whatever happens on it."""

import asyncio
import traceback
from pathlib import Path
from typing import ClassVar

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from gateway.answer import Stamp, reset
from gateway.errors import GatewayError
from gateway.exchange import Exchange, RequestInvalid, UnknownTransferCoding
from gateway.forwarder import Forwarder
from gateway.interceptor import Interceptor
from gateway.router import PassThrough, Route, route
from gateway.wire.error import gateway_error


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

    def __init__(self, forwarder: Forwarder, interceptor: Interceptor | None, log: FilteringBoundLogger) -> None:
        self._forwarder = forwarder
        self._interceptor = interceptor
        self._log = log

    async def dispatch(self, exchange: Exchange) -> web.StreamResponse:
        """Answer the request, whatever happens. Raises only where its client has left."""
        try:
            exchange.check()
            what = _route(exchange)
            if self._interceptor is not None and not isinstance(what, PassThrough):
                return await self._interceptor.intercept(exchange, what)
            if exchange.method == "CONNECT":
                self._log.warning(
                    "request_refused", request_id=exchange.id, code=MethodRefused.code, client=exchange.client
                )
                return _answer(exchange, MethodRefused("The gateway opens no tunnels."))
            return await self._forwarder.forward(exchange)
        except (RequestInvalid, UnknownTransferCoding) as error:
            self._log_refused(exchange, error)
            return _answer(exchange, error)
        except (ConnectionError, asyncio.CancelledError):
            raise  # the client has left
        except Exception as fault:
            self._log_fault(exchange, fault)
            if exchange.request.writer.output_size:
                reset(exchange.request)  # the answer has begun, and must not look complete
                raise ConnectionAbortedError from fault
            return _answer(exchange, InternalError("The gateway has failed."))

    def _log_refused(self, exchange: Exchange, error: GatewayError) -> None:
        self._log.warning("request_broken", code=error.code, reason=str(error), **exchange.facts())

    def _log_fault(self, exchange: Exchange, fault: Exception) -> None:
        """Tell what failed and where. Not the fault's text: it may quote the request."""
        frames = traceback.extract_tb(fault.__traceback__)[-6:]
        where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
        self._log.error("internal_error", error=type(fault).__name__, at=where, **exchange.facts())


def _route(exchange: Exchange) -> Route:
    override = None
    if exchange.method == "POST":
        # Of several, any might count; joined they name no method.
        override = ",".join(exchange.request.headers.getall("X-HTTP-Method-Override", ()))
    return route(exchange.method, exchange.target, override)


def _answer(exchange: Exchange, error: GatewayError) -> web.StreamResponse:
    """Answer what should not have come; what may follow it on the connection is not worth guessing."""
    return gateway_error(error, exchange.id).send(exchange.request, Stamp(exchange.id).lines, keep_alive=False)
