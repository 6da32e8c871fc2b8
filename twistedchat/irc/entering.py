"""Entering rooms and leaving them, and what they are about.

Knows what IRC's words for it are, and the verbs of a session. Must not know what is said there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.commands import Command
from twistedchat.irc.message import MAX_LINE_BYTES, write
from twistedchat.irc.replay import Replay
from twistedchat.irc.retold import LIVE, Clock, chathistory, notice, retold, said_earlier
from twistedchat.irc.said import too_long
from twistedchat.names import clean_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twistedchat.events import Event
    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.records import Joined

__all__ = ["ROOMS", "names_lines", "show_names", "show_room", "tell_earlier"]

ECHO_SECONDS = 5.0
"""Longest time that leaving a room waits until the client has been shown its own lines, in seconds.

Source: as ``PING``'s in docs/irc.md, "Saying".
"""

READ_SECONDS = 5.0
"""Longest time that entering waits for what was said earlier; if the log can't be read it is shown later, in seconds.

Source: as above.
"""

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
"""What clients take for the same name. Source: ``CASEMAPPING=ascii``, docs/irc.md, "Names"."""


# -- entering ------------------------------------------------------------------------------------


async def _join(door: IrcDoor, message: Message) -> None:
    if message.params[0] == "0":
        for room in list(door.session.rooms):
            await _leave(door, f"#{room}", "")
        return
    keys = iter(message.params[1].split(",") if len(message.params) > 1 else ())
    for name in filter(None, message.params[0].split(",")):
        try:
            await _join_one(door, name, next(keys, ""))
        except ChatError as error:
            if error.code == "lost":
                raise
            door.numeric(numeric_of(error), name, error.text)


async def _join_one(door: IrcDoor, name: str, key: str) -> None:
    session = door.session
    _check_channel(name)
    if session.find(name) is not None:
        return
    asks = "draft/chathistory" in door.caps or "B" in session.profile.modes
    joined = await session.join(name, door.format, key=key, history=0 if asks else None)
    door.begin_answer()
    if joined.room.translate(_ASCII_LOWER) != name[1:].translate(_ASCII_LOWER):
        door.numeric("470", name, f"#{joined.room}", f"{name} is called #{joined.room} here.")
    tell_earlier(door, joined)
    await show_room(door, joined)
    await door.until(lambda: joined.room not in door.replays, READ_SECONDS)


def _check_channel(name: str) -> None:
    if name[:1] != "#":
        raise ChatError("no-such-room", "The name of a room begins with #.")


async def show_room(door: IrcDoor, joined: Joined) -> None:
    """Show the client a room that it is in now, and then what is said there."""
    session = door.session
    channel = f"#{joined.room}"
    extended = ("*", session.profile.real) if "extended-join" in door.caps else ()
    with door.holding():
        with door.gathering():
            door.tell(door.source, "JOIN", channel, *extended)
        if joined.topic:
            await _tell_topic(door, joined.room, joined.topic)
        if door.caps.isdisjoint({"no-implicit-names", "draft/no-implicit-names"}):
            await show_names(door, joined.room, joined.names)
    session.show_all()


async def show_names(door: IrcDoor, room: str, names: Sequence[str]) -> None:
    """The names of those who are in a room; many of them in pieces, as they are taken."""
    await door.send_all(names_lines(door, room, names))


def names_lines(door: IrcDoor, room: str, names: Sequence[str]) -> Iterator[bytes]:
    """The same, line by line."""
    symbol = "@" if door.session.is_hidden(room) else "="
    start = f":{door.server} 353 {door.nick} {symbol} #{room} :"
    space = MAX_LINE_BYTES - len(start.encode())
    prefix, is_whole = door.session.prefix, "multi-prefix" in door.caps
    has_host = "userhost-in-names" in door.caps
    words: list[str] = []
    size = 0
    for name in names:
        word = prefix(room, name, is_whole=is_whole) + (door.hub.people.source(name, door.now) if has_host else name)
        length = len(word.encode()) + 1
        if size + length > space:
            yield f"{start}{' '.join(words)}\r\n".encode()
            words, size = [], 0
        words.append(word)
        size += length
    if words:
        yield f"{start}{' '.join(words)}\r\n".encode()
    yield write(door.server, "366", door.nick, f"#{room}", "That is everybody.")


def tell_earlier(door: IrcDoor, joined: Joined) -> None:
    """What a client is about to be shown of a room, up to its end now, is told as said earlier."""
    if not joined.is_caught_up:
        door.replays[joined.room] = Replay(joined.seq, partial(_said_earlier, door, joined.room))


def _said_earlier(door: IrcDoor, room: str, events: Sequence[Event]) -> bytes:
    if "batch" in door.caps:
        return b"".join(chathistory(door.format, door.reference(), room, events))
    clock = Clock(door.now)
    lines = [retold(event, clock) for event in events]
    return b"".join([notice(room, said_earlier(len(events))), *lines, notice(room, LIVE)])


# -- leaving -------------------------------------------------------------------------------------


async def _part(door: IrcDoor, message: Message) -> None:
    why = message.params[1] if len(message.params) > 1 else ""
    for name in filter(None, message.params[0].split(",")):
        try:
            await _leave(door, name, why)
        except ChatError as error:
            door.numeric(numeric_of(error), name, error.text)


async def _leave(door: IrcDoor, name: str, why: str) -> None:
    _check_channel(name)
    if "echo-message" in door.caps and door.session.find(name) is not None:
        # Its last words come back before it goes.
        await door.until(door.session.barrier(), ECHO_SECONDS)
    await door.until_shown()
    source = door.source
    room = door.session.leave(name, why)
    door.left(room)
    door.tell(source, "PART", f"#{room}", *([why] if why else ()))


# -- what it is about ----------------------------------------------------------------------------


async def _tell_topic(door: IrcDoor, room: str, topic: str) -> None:
    """What a room is about, who has said so, and when."""
    setter = await door.session.topic_setter(room)
    door.numeric("332", f"#{room}", topic)
    if setter is not None:
        who, at = setter
        door.numeric("333", f"#{room}", door.hub.people.source(who, at), str(at // 1000))


def _topic(door: IrcDoor, message: Message) -> Answering | None:
    target = message.params[0]
    _check_channel(target)
    if len(message.params) == 1:
        topic = door.session.topic(target)
        room = door.session.find(target) or clean_room(target)
        if topic:
            return _tell_topic(door, room, topic)
        door.numeric("331", f"#{room}", "No topic is set.")
        return None
    space = too_long(door.source, Kind.TOPIC, target, message.params[1])
    if space:
        door.numeric("417", f"That topic was too long, and was not set: {space} bytes fit.")
        return None
    door.session.say(target, message.params[1], door, door.line_of(message, target), kind=Kind.TOPIC)
    door.unanswered += 1
    return None


ROOMS = {
    "JOIN": Command(_join, 1),
    "PART": Command(_part, 1),
    "TOPIC": Command(_topic, 1),
}
"""The part of the table."""
