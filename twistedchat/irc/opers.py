"""What operators of the server do: OPER, KILL, WALLOPS, STATS.

Knows IRC's numerics, and the verbs of a session. Must not know who is an operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.commands import Command

if TYPE_CHECKING:
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["OPERATING"]

_REFUSED = {"no-operators": "491", "wrong-password": "464", "try-later": "464"}
"""How a refused OPER is told. Source: docs/irc.md, "The operator of the server"."""


async def _oper(door: IrcDoor, message: Message) -> None:
    try:
        await door.session.oper(message.params[0], message.params[1])
    except ChatError as error:
        if error.code == "lost":
            raise
        door.numeric(_REFUSED.get(error.code, numeric_of(error)), error.text)
        return
    door.numeric("381", "You are an operator of this server now.")
    door.tell(door.source, "MODE", door.nick, "+o")


async def _kill(door: IrcDoor, message: Message) -> None:
    try:
        await door.session.kill(message.params[0], message.params[1])
    except ChatError as error:
        if error.code == "lost":
            raise
        context = [message.params[0]] if error.code in {"not-here", "bad-name"} else []
        door.numeric("401" if context else numeric_of(error), *context, error.text)


async def _wallops(door: IrcDoor, message: Message) -> None:
    try:
        await door.session.wallops(message.params[0])
    except ChatError as error:
        if error.code == "lost":
            raise
        door.numeric(numeric_of(error), error.text)


def _stats(door: IrcDoor, message: Message) -> None:
    letter = message.params[0][:1]
    if letter == "u":
        seconds = int(door.stream.port.clock.seconds() - door.stream.port.opened_at)
        days, rest = divmod(seconds, 86400)
        hours, rest = divmod(rest, 3600)
        door.numeric("242", f"Server Up {days} days {hours}:{rest // 60:02}:{rest % 60:02}")
    door.numeric("219", letter or "*", "That is all.")


OPERATING = {
    "OPER": Command(_oper, 2),
    "KILL": Command(_kill, 2),
    "WALLOPS": Command(_wallops, 1),
    "STATS": Command(_stats, 1),
}
"""The part of the table."""
