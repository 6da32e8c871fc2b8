"""Links, connections and stores that a test has, and that are closed behind it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.drafts import draft
from tests.engines import LOOP, soon
from tests.postgres.proxy import Proxy
from twistedchat.events import Draft, Kind
from twistedchat.postgres.address import parse
from twistedchat.postgres.database import Database
from twistedchat.postgres.dialer import Dialer
from twistedchat.postgres.link import Link
from twistedchat.stores.base import StoreError
from twistedchat.stores.postgres import PostgresStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from twistedchat.postgres.connection import Connection

__all__ = ["connected", "link_to", "proxied", "say", "sentence", "store_at"]


def say(text: str, room: str = "lobby", key: str | None = None, who: str = "alice", kind: Kind = Kind.SAY) -> Draft:
    return draft(room, kind, who, text, key)


async def sentence(attempt: Awaitable[object], kind: type[StoreError] = StoreError) -> str:
    """What an attempt is refused with."""
    with pytest.raises(kind) as raised:
        await attempt
    return str(raised.value)


@asynccontextmanager
async def link_to(url: str, **how: Any) -> AsyncIterator[Link]:
    link = Link(LOOP, url, **how)
    try:
        yield link
    finally:
        link.close()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await soon(Dialer(LOOP, parse(url)).dial())
    try:
        yield connection
    finally:
        connection.close()


@asynccontextmanager
async def proxied() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    try:
        yield proxy
    finally:
        await proxy.close()


@asynccontextmanager
async def store_at(url: str, **how: Any) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(Database(LOOP, url, **how))
    try:
        await soon(store.open())
        yield store
    finally:
        await store.close()
