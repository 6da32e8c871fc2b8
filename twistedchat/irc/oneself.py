"""What a person says of itself, and asks of the server as such: AWAY, SETNAME, MOTD, VERSION and the like.

Knows IRC's numerics. Must not know who else is there.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from twistedchat import __version__
from twistedchat.irc.commands import Command
from twistedchat.irc.message import cut
from twistedchat.irc.registration import MAX_REAL_LENGTH
from twistedchat.irc.welcome import motd, user_counts
from twistedchat.masks import matches

if TYPE_CHECKING:
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["ONESELF"]

MAX_AWAY_BYTES = 200
"""Longest reason for being away, in bytes; the rest is left out. Source: docs/irc.md, ``AWAYLEN``."""

_ABOUT = (
    "twistedchat: a chat server that never loses a line.",
    "The same rooms for telnet, programs that speak JSON, and IRC; what is shown is stored first.",
)

_HELP = (
    "JOIN #room, PART #room :why, PRIVMSG #room :text, PRIVMSG name :text, TOPIC #room :text, NAMES #room, WHOIS name",
    "LIST shows the rooms, HISTORY #room what was said before; PASS, sent before NICK, lets you come back.",
)

_COMMAND_WORD = re.compile(r"[A-Z]{2,}")
"""Word of a line of help that is a command. Source: Modern IRC: commands are written in capitals."""


def _away(door: IrcDoor, message: Message) -> None:
    why = cut(message.params[0], MAX_AWAY_BYTES) if message.params else ""
    door.session.set_profile(door.session.profile._replace(away=why))
    if why:
        door.numeric("306", "You are shown as away.")
    else:
        door.numeric("305", "You are not shown as away any more.")


def _setname(door: IrcDoor, message: Message) -> None:
    real = message.params[0][:MAX_REAL_LENGTH]
    door.session.set_profile(door.session.profile._replace(real=real))
    if "setname" in door.caps:
        door.tell(door.source, "SETNAME", real)


def _lusers(door: IrcDoor, _: Message) -> None:
    user_counts(door)


def _is_another(door: IrcDoor, message: Message) -> bool:
    """Whether another server than this is asked, and the client was told that there is none."""
    if not message.params or matches(message.params[0], door.server) or message.params[0].lower() == door.nick.lower():
        return False
    door.numeric("402", message.params[0], "There is no such server: this one is alone.")
    return True


def _motd(door: IrcDoor, message: Message) -> None:
    if not _is_another(door, message):
        motd(door)


def _version(door: IrcDoor, message: Message) -> None:
    if _is_another(door, message):
        return
    door.numeric("351", f"twistedchat-{__version__}", door.server, "It keeps what is said.")


def _time(door: IrcDoor, message: Message) -> None:
    if _is_another(door, message):
        return
    now = datetime.datetime.fromtimestamp(door.now / 1000, datetime.UTC).astimezone()
    door.numeric("391", door.server, f"{now:%A %d %B %Y, %H:%M:%S %z}")


def _info(door: IrcDoor, message: Message) -> None:
    if _is_another(door, message):
        return
    for line in _ABOUT:
        door.numeric("371", line)
    door.numeric("374", "That is all.")


def _admin(door: IrcDoor, message: Message) -> None:
    if _is_another(door, message):
        return
    door.numeric("256", door.server, "About who runs this server:")
    door.numeric("257", door.settings.title)
    door.numeric("258", "The message of the day may say more.")
    door.numeric("259", "No address is told.")


def _links(door: IrcDoor, _: Message) -> None:
    door.numeric("364", door.server, door.server, f"0 {door.settings.title}")
    door.numeric("365", "*", "That is all.")


def _help(door: IrcDoor, message: Message) -> None:
    subject = message.params[0] if message.params and message.params[0] else "*"
    lines = [line for line in _HELP if subject == "*" or subject.upper() in _COMMAND_WORD.findall(line)]
    if not lines:
        door.numeric("524", subject, "There is no help on that: HELP alone shows all that there is.")
        return
    door.numeric("704", subject, "What can be asked here:")
    for line in lines:
        door.numeric("705", subject, line)
    door.numeric("706", subject, "That is all.")


ONESELF = {
    "AWAY": Command(_away),
    "SETNAME": Command(_setname, 1),
    "LUSERS": Command(_lusers),
    "MOTD": Command(_motd),
    "VERSION": Command(_version),
    "TIME": Command(_time),
    "INFO": Command(_info),
    "ADMIN": Command(_admin),
    "LINKS": Command(_links),
    "HELP": Command(_help),
}
"""The part of the table."""
