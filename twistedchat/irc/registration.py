"""From a connection to somebody with a name: ``CAP``, ``NICK``, ``USER``, ``PASS``, and the welcome.

Knows what a client says before and while it registers. Must not know rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat import __version__
from twistedchat.comeback import enter_by_word
from twistedchat.errors import ChatError
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.caps import CAPABILITIES, VALUED_VERSION, listed, requested
from twistedchat.irc.commands import Command
from twistedchat.irc.message import write
from twistedchat.irc.returning import come_back, is_still_there, keep_track
from twistedchat.irc.support import support
from twistedchat.irc.welcome import motd, user_counts
from twistedchat.profiles import Profile

if TYPE_CHECKING:
    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["REGISTRATION"]

MAX_USER_LENGTH = 10
"""Longest user name, in letters; the rest is left out. Source: docs/irc.md, ``USERLEN``."""

MAX_REAL_LENGTH = 100
"""Longest real name, in characters; the rest is left out. Source: docs/irc.md, ``NAMELEN``."""

MIN_WORD_BYTES, MAX_WORD_BYTES = 8, 100
"""Shortest and longest word of ``PASS`` by which one can come back, in bytes. Source: docs/irc.md, "Coming back"."""

_USER_MARKS = "-_."


def _cap(door: IrcDoor, message: Message) -> Answering | None:
    word, rest = message.params[0].upper(), message.params[1:]
    newcomer = door.newcomer
    if word in {"LS", "REQ"} and newcomer is not None:
        newcomer.negotiates = True
    if word == "LS":
        valued = bool(rest and rest[0].isdigit() and len(rest[0]) < 9 and int(rest[0]) >= VALUED_VERSION)
        if valued:
            door.caps |= {"cap-notify"}
        _list(door, "LS", list(CAPABILITIES), valued=valued)
    elif word == "LIST":
        _list(door, "LIST", sorted(door.caps), valued=False)
    elif word == "REQ":
        _request(door, rest[0] if rest else "")
    elif word == "END":
        if newcomer is not None:
            newcomer.negotiates = False
            return register(door)
    else:
        door.numeric("410", message.params[0], "CAP knows LS, LIST, REQ and END.")
    return None


def _list(door: IrcDoor, word: str, names: list[str], *, valued: bool) -> None:
    for line, has_more in listed(names, valued=valued):
        params = [word, "*", line] if has_more else [word, line]
        door.send(write(door.server, "CAP", _nick(door), *params[:-1], params[-1] or " "))


def _request(door: IrcDoor, text: str) -> None:
    wanted = requested(text, door.caps)
    if wanted is None:
        door.send(write(door.server, "CAP", _nick(door), "NAK", text))
        return
    door.change_caps(wanted)
    door.send(write(door.server, "CAP", _nick(door), "ACK", text))


def _nick(door: IrcDoor) -> str:
    return door.newcomer.nick or "*" if door.newcomer is not None else door.nick


def _pass(door: IrcDoor, message: Message) -> None:
    if door.newcomer is None:
        door.numeric("462", "You are registered already.")
        return
    word = " ".join(message.params)
    is_one = MIN_WORD_BYTES <= len(word.encode()) <= MAX_WORD_BYTES
    door.newcomer.word = word if is_one else ""


def _nick_command(door: IrcDoor, message: Message) -> Answering | None:
    if not message.params or not message.params[0]:
        door.numeric("431", "Give a name: NICK name.")
        return None
    if door.newcomer is not None:
        door.newcomer.nick = message.params[0]
        return register(door)
    return _rename(door, message.params[0])


def _numeric(error: ChatError) -> str:
    """The numeric of an error about the name that a client wants."""
    return "432" if error.code == "bad-name" else numeric_of(error)


async def _rename(door: IrcDoor, name: str) -> None:
    await door.until_shown()
    before, source = door.nick, door.source
    if name == before:
        return
    try:
        await door.session.rename(name)
    except ChatError as error:
        if error.code == "lost":
            raise
        door.numeric(_numeric(error), name or "*", error.text)
        return
    door.tell(source, "NICK", door.nick)


def _user(door: IrcDoor, message: Message) -> Answering | None:
    newcomer = door.newcomer
    if newcomer is None:
        door.numeric("462", "You are registered already.")
        return None
    letters = "".join(char for char in message.params[0] if char.isascii() and (char.isalnum() or char in _USER_MARKS))
    newcomer.user = letters[:MAX_USER_LENGTH] or "user"
    newcomer.real = message.params[3][:MAX_REAL_LENGTH]
    return register(door)


def register(door: IrcDoor) -> Answering | None:
    """Let a client in, if it has said all that is needed."""
    newcomer = door.newcomer
    if newcomer is None or newcomer.negotiates or not (newcomer.nick and newcomer.user):
        return None
    return _enter(door)


async def _enter(door: IrcDoor) -> None:
    newcomer = door.newcomer
    if newcomer is None:
        return
    name = newcomer.nick
    profile = Profile(newcomer.user, newcomer.host, newcomer.real, door="irc", address=newcomer.address)
    before = door.session
    try:
        if newcomer.word:
            door.session.profile = profile
            found = await enter_by_word(door.hub, before, name, newcomer.word, door.format, is_still_there)
            if door.stream.channel.is_closing:
                # The connection was closed while it was asked whether the old one is.
                found.lose()
                return
            door.session = found
            found.profile = found.profile._replace(address=newcomer.address)
        else:
            await before.enter(name, profile=profile)
    except ChatError as error:
        if error.code == "lost":
            raise
        newcomer.nick = ""
        door.numeric(_numeric(error), name, error.text)
        return
    door.newcomer = None
    door.stream.admitted()
    with door.gathering():
        _welcome(door)
    if newcomer.word:
        keep_track(door)
        text = "Your name and rooms are kept for 10 minutes when the connection is lost: come back with the same PASS."
        door.tell(door.server, "NOTICE", door.nick, text)
    if door.session is not before:
        await come_back(door)


def _welcome(door: IrcDoor) -> None:
    server, version = door.server, f"twistedchat-{__version__}"
    door.numeric("001", f"Welcome to {door.settings.title}, {door.nick}")
    door.numeric("002", f"Your host is {server}, running {version}")
    door.numeric("003", "This server keeps what is said: nobody misses a line.")
    door.numeric("004", server, version, "Biow", "beIiklmnostv", "beIklov")
    for words in support(door.settings.title):
        door.numeric("005", *words, "are supported by this server")
    user_counts(door)
    motd(door)


REGISTRATION = {
    "CAP": Command(_cap, 1, is_early=True),
    "PASS": Command(_pass, 1, is_early=True),
    "NICK": Command(_nick_command, is_early=True),
    "USER": Command(_user, 4, is_early=True),
}
"""The part of the table."""
