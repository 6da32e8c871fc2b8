"""What happens to the charter of a room: changes, coming and going, and its end with the last member.

Knows rooms and their members. Must not know who may do it (`rules` does), nor how anybody is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.records import Amended, Change
from twistedchat.rooms.charter import LOBBY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.room import Room

__all__ = ["amend", "entered", "left"]


def amend(room: Room, changes: Iterable[Change], by: str, now: int) -> Amended:
    """Make changes.

    Args:
        room: Where.
        changes: What is wanted; the bearers of ranks are people in the room.
        by: The name of whoever makes them; "" for the server.
        now: In milliseconds since 1970.
    """
    made: list[Change] = []
    refused: list[tuple[Change, ChatError]] = []
    for change in changes:
        try:
            told = room.charter.apply(change, by, now)
        except ChatError as error:
            refused.append((change, error))
        else:
            made += [told] if told else []
    room.rules_changed()
    return Amended(room.name, made, refused)


def entered(room: Room, member: Member, now: int) -> Change | None:
    """Somebody has come in.

    Returns:
        The rank of whoever makes a room, one in which nothing was said that can be read.
    """
    charter = room.charter
    charter.entered(member.name)
    if room.presence.count == 1:
        charter.made_at = now
        if room.seq == room.floor and room.name != LOBBY:
            return charter.apply(Change("+", "o", member.name))
    return None


def left(room: Room, name: str) -> Change | None:
    """Somebody has gone: its rank ends, and with the last member all ranks and rules.

    Those of a closed room hold until its log is put away.

    Returns:
        The change that the room is told of, if nobody else could lift a rule: whoever has been there longest can now.
    """
    charter = room.charter
    rank = charter.left(name)
    if not room.presence.count:
        if not charter.is_closed:
            room.forget_rules()
    elif "o" in rank and not charter.has_op and not charter.is_usual:
        heir = room.audience.longest_here()
        if heir is not None:
            return charter.apply(Change("+", "o", heir.name))
    return None
