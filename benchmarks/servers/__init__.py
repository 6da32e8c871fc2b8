"""The servers that are measured, each started in a scratch folder on a loopback port."""

from __future__ import annotations

from benchmarks.servers.chatroom import CHATROOM, CHATROOM_JSON
from benchmarks.servers.others import INSPIRCD, NGIRCD, REDIS
from benchmarks.servers.references import ASYNCIO, FLOOR_BATCH, FLOOR_EACH, THREADS, TWISTED, UVLOOP

__all__ = ["CHATROOM", "CHATROOM_JSON", "SERVERS"]

SERVERS = {
    server.name: server
    for server in (
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
}
"""All of them, by name; ours first."""
