"""A chat server in memory and its peers, over sockets, a store and a clock that a test moves.

All that a test needs of them, from one place; each is in the file of its job.
"""

from __future__ import annotations

from tests.peers import JsonPeer, Peer, PlainPeer
from tests.reactor import FIRST_SECOND, Reactor, now
from tests.sockets import Socket, Transport
from tests.world import HeldStore, Settings, World

__all__ = [
    "FIRST_SECOND",
    "HeldStore",
    "JsonPeer",
    "Peer",
    "PlainPeer",
    "Reactor",
    "Settings",
    "Socket",
    "Transport",
    "World",
    "now",
]
