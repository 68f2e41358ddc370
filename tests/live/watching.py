"""A gateway that is watched, for a test: its stories are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.live.har import MOST_BODY
from gateway.live.story import Story
from gateway.live.watch import Watch
from tests.gateways import Running, running


class Watched:
    """What a gateway has told."""

    def __init__(self, gateway: Running, watch: Watch, stories: list[Story]) -> None:
        self.watch = watch
        self.stories = stories
        self.port = gateway.port


@asynccontextmanager
async def watched(upstream_url: str, most: int = MOST_BODY, **sections: Any) -> AsyncIterator[Watched]:
    """Run a gateway in front of `upstream_url` and keep each story that is over."""
    stories: list[Story] = []
    watch = Watch([stories.append], most)
    async with running(upstream_url, witness=watch, **sections) as gateway:
        yield Watched(gateway, watch, stories)
