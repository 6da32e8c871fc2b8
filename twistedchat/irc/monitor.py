"""``MONITOR``: a client's list of names, and what it is told when they come and go.

Knows numerics, and the register of who watches whom. Must not know who comes and goes, nor when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.irc.commands import Command
from twistedchat.irc.message import MAX_LINE_BYTES, write
from twistedchat.names import clean_name
from twistedchat.people.watching import MAX_WATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["COMMANDS", "watched_lines"]

ONLINE, OFFLINE, LISTED, LIST_END, LIST_FULL = "730", "731", "732", "733", "734"
"""Numerics. Source: IRCv3, monitor, "Numeric replies"."""


def watched_lines(door: IrcDoor, here: Sequence[str], gone: Sequence[str]) -> bytes:
    """Lines that tell a client which names are somebody's now, and which are nobody's."""
    return b"".join([*_lines(door, ONLINE, _sources(door, here)), *_lines(door, OFFLINE, gone)])


def _sources(door: IrcDoor, names: Iterable[str]) -> Iterator[str]:
    return (door.hub.faces.source(name, door.now) for name in names)


def _lines(door: IrcDoor, numeric: str, words: Iterable[str]) -> Iterator[bytes]:
    """A numeric with words between commas, as often as they need."""
    space = MAX_LINE_BYTES - len(write(door.server, numeric, door.nick, "").rstrip(b"\r\n"))
    taken: list[str] = []
    size = 0
    for word in words:
        size += len(word.encode()) + 1
        if taken and size > space:
            yield write(door.server, numeric, door.nick, ",".join(taken))
            taken, size = [], len(word.encode()) + 1
        taken.append(word)
    if taken:
        yield write(door.server, numeric, door.nick, ",".join(taken))


def _monitor(door: IrcDoor, message: Message) -> None:
    what = _WHAT.get(message.params[0].upper())
    if what is not None:
        what(door, message.params[1].split(",") if len(message.params) > 1 else [])


def _add(door: IrcDoor, targets: Sequence[str]) -> None:
    here, gone, refused = [], [], []
    for target in filter(None, targets):
        try:
            name = clean_name(target)
        except ChatError:
            # It will never be anybody's.
            gone.append(target)
            continue
        found = door.hub.people.watching.watch(door, name)
        if found is None:
            refused.append(target)
        elif found:
            here.append(found)
        else:
            gone.append(target)
    for line in [*_lines(door, ONLINE, _sources(door, here)), *_lines(door, OFFLINE, gone)]:
        door.send(line)
    if refused:
        door.numeric(LIST_FULL, str(MAX_WATCHED), ",".join(refused), "Your list of names is full.")


def _remove(door: IrcDoor, targets: Sequence[str]) -> None:
    for target in targets:
        try:
            name = clean_name(target)
        except ChatError:
            continue
        door.hub.people.watching.unwatch(door, name)


def _clear(door: IrcDoor, _: Sequence[str]) -> None:
    door.hub.people.watching.forget(door)


def _list(door: IrcDoor, _: Sequence[str]) -> None:
    for line in _lines(door, LISTED, (name for name, _ in door.hub.people.watching.names(door))):
        door.send(line)
    door.numeric(LIST_END, "That is all of your list.")


def _status(door: IrcDoor, _: Sequence[str]) -> None:
    names = door.hub.people.watching.names(door)
    here = [found for _, found in names if found]
    gone = [name for name, found in names if not found]
    for line in [*_lines(door, ONLINE, _sources(door, here)), *_lines(door, OFFLINE, gone)]:
        door.send(line)


_WHAT: dict[str, Callable[[IrcDoor, Sequence[str]], None]] = {
    "+": _add,
    "-": _remove,
    "C": _clear,
    "L": _list,
    "S": _status,
}
"""What each word behind ``MONITOR`` does. Source: IRCv3, monitor."""

COMMANDS = {"MONITOR": Command(_monitor, least=1)}
