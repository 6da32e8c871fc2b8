"""Talking, to rooms and to people, and whether anybody is there.

Knows what IRC's words for it are, and the verbs of a session. Must not know who else is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.commands import Command
from twistedchat.irc.message import client_tags, write
from twistedchat.irc.said import CTCP, action_of, fits_always, too_long

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["TALK"]

MAX_TARGETS = 4
"""Most targets of one line. Source: docs/irc.md, ``MAXTARGETS``."""

BARRIER_SECONDS = 5.0
"""Longest time that a ``PING`` waits for lines that are being stored, in seconds. Source: docs/irc.md, "Saying"."""

_KINDS = {"PRIVMSG": Kind.SAY, "NOTICE": Kind.NOTICE}


# -- talking -------------------------------------------------------------------------------------


def _say(door: IrcDoor, message: Message) -> Answering | None:
    if "batch" in message.tags and door.multiline is not None:
        door.multiline.line(message)
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
        if is_silent:
            return None
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
        door.session.say(target, text, door, door.line_of(message, target), kind=kind, tags=_tags(door, message))
    except ChatError as error:
        if not is_silent:
            number = "404" if error.code in {"not-in-room", "banned"} else numeric_of(error)
            door.numeric(number, target, error.text)
        return
    door.unanswered += 1


def _is_too_long(door: IrcDoor, kind: Kind, target: str, text: str) -> bool:
    space = 0 if fits_always(text) else too_long(door.source, kind, target, text)
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
    tags = _private_tags(door, message)
    name = await door.session.tell(target, text, kind=kind, tags=tags)
    away = door.session.away_of(name)
    if away and kind is not Kind.NOTICE:
        door.numeric("301", name, away)
    if "echo-message" in door.caps:
        door.send(door.private(door.source, name, text, door.now, kind, tags))


def _tags(door: IrcDoor, message: Message) -> str:
    """What goes with a line for programs."""
    tags = client_tags(message.tags) if "message-tags" in door.caps else ""
    if "B" in door.session.profile.modes:
        return f"bot;{tags}" if tags else "bot"
    return tags


def _private_tags(door: IrcDoor, message: Message) -> str:
    """The same, with the id of a line that stands in no log."""
    tags = _tags(door, message)
    return f"msgid={door.new_id()};{tags}" if tags else f"msgid={door.new_id()}"


# -- for programs --------------------------------------------------------------------------------


def _signal(door: IrcDoor, message: Message) -> Answering | None:
    if not client_tags(message.tags) or "message-tags" not in door.caps:
        return None
    return _signal_all(door, message, message.params[0].split(",")[:MAX_TARGETS])


async def _signal_all(door: IrcDoor, message: Message, targets: Sequence[str]) -> None:
    for target in filter(None, targets):
        try:
            await _signal_one(door, message, target)
        except ChatError as error:
            if error.code == "lost":
                raise
            if message.tags.get("label"):
                number = "404" if error.code in {"not-in-room", "banned"} else numeric_of(error)
                door.numeric(number, target, error.text)


async def _signal_one(door: IrcDoor, message: Message, target: str) -> None:
    tags = _private_tags(door, message)
    if target[:1] == "#":
        id_, _, others = tags.removeprefix("msgid=").partition(";")
        target = f"#{door.session.signal(target, id_, others)}"
    else:
        target = await door.session.hint(target, tags)
    if "echo-message" in door.caps:
        door.send(door.hint(door.source, target, door.now, tags))


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


def _quit(door: IrcDoor, message: Message) -> None:
    why = message.params[0] if message.params else ""
    door.leave(f"Quit: {why}" if why else "Quit")


def _pong(door: IrcDoor, message: Message) -> None:
    if door.arrivals is not None:
        door.arrivals.answered(message.params)


TALK = {
    "QUIT": Command(_quit, is_early=True),
    "PRIVMSG": Command(_say, is_talk=True),
    "NOTICE": Command(_say, is_talk=True),
    "TAGMSG": Command(_signal, 1, is_talk=True),
    "PING": Command(_ping, is_early=True, is_talk=True),
    "PONG": Command(_pong, is_early=True, is_talk=True),
}
"""The part of the table."""
