"""The bundled client: for a person in a terminal, in a pipe, and as a library for bots.

For programs::

    from twistedchat.client import connect

    async with await connect(reactor, "localhost", name="echo") as chat:
        await chat.join("lobby")
        async for event in chat:
            ...

``docs/bots.md`` has whole programs. Nothing is loaded before it is asked for, so that the command
starts, and can be interrupted, at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twistedchat.client.chat import Chat, connect
    from twistedchat.client.joined_rooms import END
    from twistedchat.client.messages import Tell
    from twistedchat.errors import ChatError
    from twistedchat.events import Event, Kind

__all__ = ["END", "Chat", "ChatError", "Event", "Kind", "Tell", "connect"]

_HOMES = {
    "END": "twistedchat.client.joined_rooms",
    "Chat": "twistedchat.client.chat",
    "ChatError": "twistedchat.errors",
    "Event": "twistedchat.events",
    "Kind": "twistedchat.events",
    "Tell": "twistedchat.client.messages",
    "connect": "twistedchat.client.chat",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
