"""Coming back by name and ``PASS``: what a client is shown of the rooms that it is in already.

Knows a session that was taken up. Must not know how it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.talk import show_room

if TYPE_CHECKING:
    from twistedchat.irc.door import IrcDoor
    from twistedchat.speaker import Listener

__all__ = ["come_back", "is_still_there"]


async def is_still_there(listener: Listener) -> bool:
    """Whether a connection that seems open is."""
    return not listener.full


async def come_back(door: IrcDoor) -> None:
    """Show each room, and everything after what is known to have arrived."""
    session = door.session
    arrived = session.arrived or {}
    for room in list(session.rooms):
        joined = await session.join(room, door.format, after=arrived.get(room))
        show_room(door, joined)
    session.show_all()
