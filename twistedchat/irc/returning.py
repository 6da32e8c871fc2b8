"""Coming back by name and ``PASS``: what a client is shown of the rooms that it is in already.

Knows a session that was taken up. Must not know how it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.arrivals import Arrivals
from twistedchat.irc.entering import show_room, tell_earlier
from twistedchat.irc.missed import Missed
from twistedchat.irc.outlet import IrcOutlet
from twistedchat.irc.retold import Clock, said_meanwhile

if TYPE_CHECKING:
    from twistedchat.irc.door import IrcDoor
    from twistedchat.records import Joined
    from twistedchat.speaker import Listener

__all__ = ["come_back", "is_still_there", "keep_track"]


async def is_still_there(listener: Listener) -> bool:
    """Whether a connection that seems open answers."""
    arrivals = listener.arrivals if isinstance(listener, IrcOutlet) else None
    return arrivals is not None and await arrivals.is_there()


def keep_track(door: IrcDoor) -> None:
    """From now on what the client has is known, so that it can be shown the rest if it comes back."""
    door.arrivals = Arrivals(door.session, door.stream.port.clock, door.stream.wire.write)


async def come_back(door: IrcDoor) -> None:
    """Show each room, and everything after what is known to have arrived; who asks for history is shown what is new."""
    session = door.session
    arrived = dict(session.arrived or {})
    asks = "draft/chathistory" in door.caps
    for room in list(session.rooms):
        if not session.is_in(room):
            # Left meanwhile: removed, for one.
            continue
        after = session.last_seq(room) if asks else arrived.get(room)
        joined = await session.join(room, door.format, after=after)
        if after is None:
            # It comes from another node, which does not tell what has arrived.
            tell_earlier(door, joined)
        elif not (asks or joined.is_caught_up):
            door.replays[joined.room] = _missed(door, joined, after)
        await show_room(door, joined)


def _missed(door: IrcDoor, joined: Joined, after: int) -> Missed:
    """What a client has missed is marked off from what is live."""

    def opening(first_at: int) -> str:
        return said_meanwhile(joined.seq - after, first_at, joined.at, Clock(door.now))

    return Missed(joined.seq, door.format, door.reference if "batch" in door.caps else None, opening)
