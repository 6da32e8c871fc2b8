"""The bundled client: for a person in a terminal, in a pipe, and as a library for bots.

For programs::

    from twistedchat.client import connect

    async with await connect(reactor, "localhost", name="echo") as chat:
        await chat.join("lobby")
        async for event in chat:
            ...

``docs/bots.md`` has whole programs.
"""

from twistedchat.client.chat import Chat, connect
from twistedchat.client.conversation import END
from twistedchat.client.happenings import Tell
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind

__all__ = ["END", "Chat", "ChatError", "Event", "Kind", "Tell", "connect"]
