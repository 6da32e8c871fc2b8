"""The servers that are measured, each started in a scratch folder on a loopback port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.servers.chatroom import (
    CHATROOM,
    CHATROOM_IRC,
    CHATROOM_IRC_HALF,
    CHATROOM_IRC_TAGS,
    CHATROOM_JSON,
    beside,
)
from benchmarks.servers.others import INSPIRCD, INSPIRCD_TAGS, NGIRCD, REDIS
from benchmarks.servers.references import ASYNCIO, FLOOR_BATCH, FLOOR_EACH, THREADS, TWISTED, UVLOOP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.servers.base import Server

__all__ = ["CHATROOM", "CHATROOM_JSON", "OF_IRC", "OURS", "SERVERS", "USUAL", "with_before"]

USUAL = (
    CHATROOM,
    CHATROOM_JSON,
    FLOOR_EACH,
    FLOOR_BATCH,
    INSPIRCD,
    NGIRCD,
    REDIS,
    THREADS,
    ASYNCIO,
    UVLOOP,
    TWISTED,
)
"""Those that are measured unless others are named; ours first."""
OF_IRC = (CHATROOM, CHATROOM_IRC, CHATROOM_IRC_TAGS, CHATROOM_IRC_HALF, INSPIRCD, INSPIRCD_TAGS, NGIRCD)
"""Those that speak IRC, and our own in plain text beside them."""
OURS = (CHATROOM, CHATROOM_JSON, CHATROOM_IRC, CHATROOM_IRC_HALF)
"""Our own, in each of its ways; IRC with all tags is half of the last one."""
SERVERS = {server.name: server for server in (*USUAL, *OF_IRC)}
"""All of them, by name."""


def with_before(servers: Iterable[Server], checkout: Path) -> list[Server]:
    """Put the same server of another checkout behind each of our own, so that they take turns."""
    both: list[Server] = []
    for server in servers:
        both.append(server)
        if server.checkout is not None:
            both.append(beside(server, checkout))
    return both
