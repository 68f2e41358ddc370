"""Asks a service as Envoy does, message by message, over gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
from envoy.config.core.v3 import base_pb2 as base
from envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2 as modes
from envoy.service.ext_proc.v3 import external_processor_pb2 as messages
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc as service

from gateway.config.settings import Address, UnixSocket

EMAIL: Final = {":method": "POST", ":path": "/api/v1/activity/email/", ":scheme": "https", ":authority": "a"}


def on_head(fields: dict[str, str], *, end: bool = False) -> Any:
    """Tell of the head of a request."""
    headers = [base.HeaderValue(key=name, raw_value=value.encode()) for name, value in fields.items()]
    told = messages.HttpHeaders(headers=base.HeaderMap(headers=headers), end_of_stream=end)
    return messages.ProcessingRequest(request_headers=told)


def streamed(head: Any) -> Any:
    """Say with the head that bodies come in pieces, of which none is kept."""
    head.protocol_config.request_body_mode = modes.ProcessingMode.FULL_DUPLEX_STREAMED
    return head


def on_trailers() -> Any:
    """Tell of the fields behind its body."""
    return messages.ProcessingRequest(request_trailers=messages.HttpTrailers())


def on_body(body: bytes, *, end: bool = True) -> Any:
    """Tell of its body."""
    return messages.ProcessingRequest(request_body=messages.HttpBody(body=body, end_of_stream=end))


def on_answer(status: int) -> Any:
    """Tell of the head of the answer."""
    headers = [base.HeaderValue(key=":status", raw_value=b"%d" % status)]
    told = messages.HttpHeaders(headers=base.HeaderMap(headers=headers))
    return messages.ProcessingRequest(response_headers=told)


class Stream:
    """One stream."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def ask(self, message: Any) -> Any:
        """Send a message, and wait for what is said to it; None where the stream is over instead."""
        try:
            await self.send(message)
            return await self.said()
        except grpc.aio.AioRpcError:
            return None

    async def send(self, message: Any) -> None:
        """Send a message."""
        await self._call.write(message)

    async def said(self) -> Any:
        """Wait for the next message; None where the stream is over instead."""
        said = await self._call.read()
        return None if said is grpc.aio.EOF else said

    async def close(self) -> None:
        """Say that no more will be sent."""
        await self._call.done_writing()

    async def code(self) -> Any:
        """Give the code that it ends with."""
        return await self._call.code()

    def leave(self) -> None:
        """Give it up, as Envoy does where the client has left."""
        self._call.cancel()


@asynccontextmanager
async def channel(address: Address | UnixSocket, credentials: Any = None, **options: Any) -> AsyncIterator[Any]:
    """Connect."""
    given = tuple((f"grpc.{name}", value) for name, value in options.items())
    made = (
        grpc.aio.insecure_channel(str(address), given)
        if credentials is None
        else grpc.aio.secure_channel(str(address), credentials, given)
    )
    async with made:
        yield made


@asynccontextmanager
async def streaming(address: Address | UnixSocket) -> AsyncIterator[Stream]:
    """Open a stream on a connection of its own."""
    async with channel(address) as connection:
        yield Stream(service.ExternalProcessorStub(connection).Process())
