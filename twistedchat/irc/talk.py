"""Entering rooms, leaving them, and talking.

Knows what IRC's words for it are, and the verbs of a session. Must not know who else is there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.commands import Command
from twistedchat.irc.message import client_tags, write
from twistedchat.irc.replay import Replay
from twistedchat.irc.retold import LIVE, Clock, chathistory, notice, retold, said_earlier
from twistedchat.irc.said import CTCP, action_of, too_long
from twistedchat.names import clean_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event
    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.records import Joined

__all__ = ["TALK", "show_names", "show_room"]

MAX_TARGETS = 4
"""Most targets of one line. Source: docs/irc.md, ``MAXTARGETS``."""

BARRIER_SECONDS = 5.0
"""Longest time that a ``PING`` waits for lines that are being stored, in seconds. Source: docs/irc.md, "Saying"."""

_NAMES_BYTES = 400
"""Size limit of the names in one line, in bytes. Source: 510 less what stands before them."""

_KINDS = {"PRIVMSG": Kind.SAY, "NOTICE": Kind.NOTICE}


# -- entering and leaving ------------------------------------------------------------------------


async def _join(door: IrcDoor, message: Message) -> None:
    if message.params[0] == "0":
        for room in list(door.session.rooms):
            _leave(door, room, "")
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
    if name[:1] != "#":
        raise ChatError("no-such-room", "The name of a room begins with #.")
    if session.find(name) is not None:
        return
    asks = "draft/chathistory" in door.caps or "B" in session.profile.modes
    joined = await session.join(name, door.format, key=key, history=0 if asks else None)
    if joined.room.lower() != name[1:].lower():
        door.numeric("470", name, f"#{joined.room}", f"{name} is called #{joined.room} here.")
    await show_room(door, joined)
    if not joined.is_caught_up:
        door.replays[joined.room] = Replay(joined.seq, partial(_said_earlier, door, joined.room))
    session.show_all()
    await door.until(lambda: joined.room not in door.replays)


async def show_room(door: IrcDoor, joined: Joined) -> None:
    """Show the client a room that it is in now."""
    session = door.session
    channel = f"#{joined.room}"
    extended = ("*", session.profile.real) if "extended-join" in door.caps else ()
    door.tell(door.source, "JOIN", channel, *extended)
    if joined.topic:
        door.numeric("332", channel, joined.topic)
    if door.caps.isdisjoint({"no-implicit-names", "draft/no-implicit-names"}):
        await show_names(door, joined.room, joined.names)


async def show_names(door: IrcDoor, room: str, names: Sequence[str]) -> None:
    """The names of those who are in a room."""
    line = ""
    for name in names:
        word = door.session.prefix(room, name, is_whole="multi-prefix" in door.caps)
        word += door.hub.people.source(name, door.now) if "userhost-in-names" in door.caps else name
        if line and len(line.encode()) + 1 + len(word.encode()) > _NAMES_BYTES:
            door.numeric("353", "=", f"#{room}", line)
            line = ""
            await door.flow()
        line = f"{line} {word}".lstrip()
    if line:
        door.numeric("353", "=", f"#{room}", line)
    door.numeric("366", f"#{room}", "That is everybody.")


def _said_earlier(door: IrcDoor, room: str, events: Sequence[Event]) -> bytes:
    if "batch" in door.caps:
        return b"".join(chathistory(door.format, door.reference(), room, events))
    clock = Clock(door.now)
    lines = [retold(event, clock) for event in events]
    return b"".join([notice(room, said_earlier(len(events))), *lines, notice(room, LIVE)])


def _part(door: IrcDoor, message: Message) -> None:
    why = message.params[1] if len(message.params) > 1 else ""
    for name in filter(None, message.params[0].split(",")):
        try:
            _leave(door, name, why)
        except ChatError as error:
            door.numeric(numeric_of(error), name, error.text)


def _leave(door: IrcDoor, name: str, why: str) -> None:
    source = door.source
    room = door.session.leave(name, why)
    door.left(room)
    door.tell(source, "PART", f"#{room}", *([why] if why else ()))


def _quit(door: IrcDoor, message: Message) -> None:
    why = message.params[0] if message.params else ""
    door.leave(f"Quit: {why}" if why else "Quit")


# -- talking -------------------------------------------------------------------------------------


def _say(door: IrcDoor, message: Message) -> Answering | None:
    if "batch" in message.tags and door.gathering is not None:
        door.gathering.line(message)
        return None
    word = message.command.upper()
    is_silent = word == "NOTICE" and not message.tags.get("label")
    if len(message.params) < 1 or not message.params[0]:
        if not is_silent:
            door.numeric("411", f"Say to whom: {word} #room :text.")
        return None
    if len(message.params) < 2 or not message.params[1]:
        if not is_silent:
            door.numeric("412", "There is nothing to say: give a text.")
        return None
    targets = message.params[0].split(",")
    if len(targets) > MAX_TARGETS:
        door.numeric("407", message.params[0], f"A line has at most {MAX_TARGETS} targets.")
        return None
    persons = []
    for target in targets:
        if target[:1] == "#":
            _say_to_room(door, message, target, is_silent=is_silent)
        elif target:
            persons.append(target)
    return _tell_all(door, message, persons, is_silent=is_silent) if persons else None


def _say_to_room(door: IrcDoor, message: Message, target: str, *, is_silent: bool) -> None:
    kind, text = _KINDS[message.command.upper()], message.params[1]
    action = action_of(text) if kind is Kind.SAY else None
    if action is not None:
        kind, text = Kind.ME, action
    elif text[:1] == CTCP:
        if not is_silent:
            door.numeric("404", target, "Such a request is not said to a room: a roomful of programs would answer.")
        return
    if _is_too_long(door, kind, target, text):
        return
    try:
        tags = client_tags(message.tags) if "message-tags" in door.caps else ""
        door.session.say(target, text, door, door.line_of(message, target), kind=kind, tags=tags)
    except ChatError as error:
        if not is_silent:
            number = "404" if error.code in {"not-in-room", "banned"} else numeric_of(error)
            door.numeric(number, target, error.text)
        return
    door.unanswered += 1


def _is_too_long(door: IrcDoor, kind: Kind, target: str, text: str) -> bool:
    space = too_long(door.source, kind, target, text)
    if space:
        door.numeric("417", f"That line was too long, and was not said: {space} bytes fit.")
    return bool(space)


async def _tell_all(door: IrcDoor, message: Message, targets: Sequence[str], *, is_silent: bool) -> None:
    for target in targets:
        try:
            await _tell(door, message, target)
        except ChatError as error:
            if error.code == "lost":
                raise
            if not is_silent:
                door.numeric(numeric_of(error), target, error.text)


async def _tell(door: IrcDoor, message: Message, target: str) -> None:
    kind, text = _KINDS[message.command.upper()], message.params[1]
    action = action_of(text) if kind is Kind.SAY else None
    if action is not None:
        kind, text = Kind.ME, action
    if _is_too_long(door, kind, target, text):
        return
    tags = client_tags(message.tags) if "message-tags" in door.caps else ""
    run, _, number = door.hub.draft_id().partition("-")
    tags = f"msgid={run}/-/{number}" + (f";{tags}" if tags else "")
    name = await door.session.tell(target, text, kind=kind, tags=tags)
    away = door.session.away_of(name)
    if away and kind is not Kind.NOTICE:
        door.numeric("301", name, away)
    if "echo-message" in door.caps:
        door.send(door.private(door.source, name, text, door.now, kind, tags))


def _topic(door: IrcDoor, message: Message) -> None:
    target = message.params[0]
    if len(message.params) == 1:
        topic = door.session.topic(target)
        room = door.session.find(target) or clean_room(target)
        if topic:
            door.numeric("332", f"#{room}", topic)
        else:
            door.numeric("331", f"#{room}", "No topic is set.")
        return
    if _is_too_long(door, Kind.TOPIC, target, message.params[1]):
        return
    door.session.say(target, message.params[1], door, door.line_of(message, target), kind=Kind.TOPIC)
    door.unanswered += 1


# -- is anybody there ----------------------------------------------------------------------------


def _ping(door: IrcDoor, message: Message) -> Answering | None:
    if not message.params:
        door.numeric("409", "Say what is to come back: PING token.")
        return None
    if door.newcomer is not None:
        door.send(write(door.server, "PONG", door.server, message.params[0]))
        return None
    return _barrier(door, message.params[0])


async def _barrier(door: IrcDoor, token: str) -> None:
    """Answer when all that was accepted until now is stored or refused, and shown."""
    is_through = door.session.barrier()
    await door.until(lambda: is_through() and not door.unanswered, BARRIER_SECONDS)
    door.send(write(door.server, "PONG", door.server, token))


def _pong(door: IrcDoor, message: Message) -> None:
    if door.arrivals is not None:
        door.arrivals.answered(message.params)


TALK = {
    "JOIN": Command(_join, 1),
    "PART": Command(_part, 1),
    "QUIT": Command(_quit, is_early=True),
    "PRIVMSG": Command(_say, is_talk=True),
    "NOTICE": Command(_say, is_talk=True),
    "TOPIC": Command(_topic, 1),
    "PING": Command(_ping, is_early=True, is_talk=True),
    "PONG": Command(_pong, is_early=True, is_talk=True),
}
"""The part of the table."""
