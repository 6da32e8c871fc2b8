"""Messages of several lines, as a client sends them: ``BATCH``, and the lines that belong to one.

Knows the verbs of a session. Must not know how such a message is put together (`multiline`), nor how it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.irc.answers import Said, numeric_of
from twistedchat.irc.commands import Command
from twistedchat.irc.errors import FailError
from twistedchat.irc.message import label_tag, tagged, write
from twistedchat.irc.multiline import OPEN_SECONDS, Incoming
from twistedchat.irc.said import CTCP, action_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.irc.multiline import Whole

__all__ = ["BATCHES", "Multiline"]


class Multiline:
    """The message that a client is just sending.

    Args:
        door: The client.
    """

    __slots__ = ("_door", "_incoming", "_timer")

    def __init__(self, door: IrcDoor) -> None:
        self._door = door
        self._incoming = Incoming()
        self._timer: IDelayedCall | None = None

    def bracket(self, message: Message) -> Whole | None:
        """Take a ``BATCH``; the message, if it ends one."""
        clock = self._door.stream.port.clock
        whole = None
        try:
            whole = self._incoming.bracket(message, clock.seconds())
        except FailError as error:
            self._fail(error)
        if not self._incoming.is_open:
            self.stop()
        elif self._timer is None:
            self._timer = clock.callLater(OPEN_SECONDS, self._expire)
        return whole

    def line(self, message: Message) -> None:
        """Take a line of it."""
        try:
            self._incoming.line(message)
        except FailError as error:
            self._fail(error)
            self.stop()

    def stop(self) -> None:
        """It has ended, or its client is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        try:
            self._incoming.expire(self._door.stream.port.clock.seconds())
        except FailError as error:
            self._fail(error)

    def _fail(self, error: FailError) -> None:
        door = self._door
        tags = label_tag(self._incoming.label) if "labeled-response" in door.caps else ""
        words = (error.command, error.code, *error.context, error.text)
        door.stream.wire.write(write(door.server, "FAIL", *words, tags=tags))


def _batch(door: IrcDoor, message: Message) -> Answering | None:
    if "draft/multiline" not in door.caps:
        door.numeric("421", "BATCH", "There is no command BATCH without draft/multiline.")
        return None
    if door.multiline is None:
        door.multiline = Multiline(door)
    # Its label is answered when the message is stored, or refused.
    door.line_of(message, "")
    whole = door.multiline.bracket(message)
    return _say(door, whole) if whole is not None else None


def _say(door: IrcDoor, whole: Whole) -> Answering | None:
    """Say a message of several lines, as one of a single line is said."""
    kind = Kind.NOTICE if whole.command == "NOTICE" else Kind.SAY
    text = whole.text
    action = action_of(text) if kind is Kind.SAY else None
    if action is not None:
        kind, text = Kind.ME, action
    tags = whole.tags if "message-tags" in door.caps else ""
    said = Said(whole.command, whole.target, whole.label if "labeled-response" in door.caps else "")
    if whole.target[:1] != "#":
        return _tell(door, said, text, kind, tags)
    try:
        if kind is not Kind.ME and text[:1] == CTCP:
            raise ChatError("muted", "Such a request is not said to a room: a roomful of programs would answer.")
        door.session.say(whole.target, text, door, said, kind=kind, tags=tags)
    except ChatError as error:
        _refuse(door, said, error)
    else:
        door.unanswered += 1
    return None


async def _tell(door: IrcDoor, said: Said, text: str, kind: Kind, tags: str) -> None:
    run, _, number = door.hub.draft_id().partition("-")
    tags = f"msgid={run}/-/{number}" + (f";{tags}" if tags else "")
    try:
        name = await door.session.tell(said.target, text, kind=kind, tags=tags)
    except ChatError as error:
        if error.code == "lost":
            raise
        _refuse(door, said, error)
        return
    if "echo-message" in door.caps:
        line = door.private(door.source, name, text, door.now, kind, tags)
        door.send(tagged(line, label_tag(said.label)))
    elif said.label:
        door.send(write(door.server, "ACK", tags=label_tag(said.label)))


def _refuse(door: IrcDoor, said: Said, error: ChatError) -> None:
    if said.command == "NOTICE" and not said.label:
        return
    number = "404" if error.code in {"not-in-room", "banned"} else numeric_of(error)
    door.send(write(door.server, number, door.nick, said.target, error.text, tags=label_tag(said.label)))


BATCHES = {"BATCH": Command(_batch, 1, is_talk=True)}
"""The part of the table."""
