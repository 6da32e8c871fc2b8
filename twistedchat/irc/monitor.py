"""``MONITOR``: a client's list of names, of which it is told when they come and go.

Knows the register of who watches whom. Must not know who comes and goes, nor when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.irc.commands import Command
from twistedchat.irc.watched import LIST_END, LIST_FULL, LISTED, OFFLINE, ONLINE, watched
from twistedchat.names import clean_name
from twistedchat.people.watching import MAX_WATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

__all__ = ["MONITORING"]


def _monitor(door: IrcDoor, message: Message) -> None:
    what = _WHAT.get(message.params[0].upper())
    if what is not None:
        names = _cleaned(message.params[1] if len(message.params) > 1 else "")
        what(door, list(names))


def _cleaned(targets: str) -> Iterator[str]:
    """The names of a list; what is none will never be anybody's."""
    for target in targets.split(","):
        try:
            yield clean_name(target)
        except ChatError:
            continue


def _add(door: IrcDoor, names: Sequence[str]) -> None:
    here, gone, refused = [], [], []
    for name in names:
        found = door.hub.people.watching.watch(door, name)
        if found is None:
            refused.append(name)
        elif found:
            here.append(found)
        else:
            gone.append(name)
    _tell(door, here, gone)
    if refused:
        door.numeric(LIST_FULL, str(MAX_WATCHED), ",".join(refused), "Your list of names is full.")


def _remove(door: IrcDoor, names: Sequence[str]) -> None:
    for name in names:
        door.hub.people.watching.unwatch(door, name)


def _clear(door: IrcDoor, _: Sequence[str]) -> None:
    door.hub.people.watching.forget(door)


def _list(door: IrcDoor, _: Sequence[str]) -> None:
    names = [name for name, _ in door.hub.people.watching.names(door)]
    for line in watched(door.server, door.nick, LISTED, names):
        door.send(line)
    door.numeric(LIST_END, "That is all of your list.")


def _status(door: IrcDoor, _: Sequence[str]) -> None:
    names = door.hub.people.watching.names(door)
    _tell(door, [found for _, found in names if found], [name for name, found in names if not found])


def _tell(door: IrcDoor, here: Sequence[str], gone: Sequence[str]) -> None:
    sources = [door.hub.people.source(name, door.now) for name in here]
    for numeric, words in ((ONLINE, sources), (OFFLINE, gone)):
        for line in watched(door.server, door.nick, numeric, words):
            door.send(line)


_WHAT: dict[str, Callable[[IrcDoor, Sequence[str]], None]] = {
    "+": _add,
    "-": _remove,
    "C": _clear,
    "L": _list,
    "S": _status,
}
"""What each word behind ``MONITOR`` does. Source: IRCv3, monitor."""

MONITORING = {"MONITOR": Command(_monitor, 1)}
"""The part of the table."""
