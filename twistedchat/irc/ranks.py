"""Ranks and rules of rooms, removing people and letting them in: MODE, KICK, INVITE.

Knows IRC's letters, and the verbs of a session. Must not know who may do what: the rules do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.irc.answers import numeric_of
from twistedchat.irc.commands import Command
from twistedchat.records import Change
from twistedchat.rooms.charter import LISTS, MAX_CHANGES, RANKS, as_text
from twistedchat.ruler import MAX_WHY_BYTES
from twistedchat.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twistedchat.irc.commands import Answering
    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.records import RoomRules

__all__ = ["RULING"]

MAX_KICKED = 4
"""Most people that one KICK removes. Source: docs/irc.md, ``TARGMAX``."""

_OWN_MODES = "Biw"
"""Modes that people set themselves. Source: docs/irc.md, "Ranks and rules"."""

_LISTED = {"b": ("367", "368"), "e": ("348", "349"), "I": ("346", "347")}
"""For each list of masks: the numeric of an entry, and of the end. Source: Modern IRC."""

_TEXT_BYTES = 350
"""Size limit of the changes in one line, in bytes. Source: 510 less the source and the room."""

_NEEDING = LISTS + RANKS
"""Letters that always have a parameter. Source: docs/irc.md, ``CHANMODES`` and ``PREFIX``."""


def _mode(door: IrcDoor, message: Message) -> Answering | None:
    target = message.params[0]
    if target[:1] == "#":
        if len(message.params) == 1:
            _tell_rules(door, target)
            return None
        return _change(door, target, message.params[1], message.params[2:])
    if target.lower() != door.nick.lower():
        return _modes_of_another(door, target)
    _own_modes(door, message)
    return None


async def _modes_of_another(door: IrcDoor, name: str) -> None:
    await door.session.acquaintance(name)
    door.numeric("502", "The modes of others are their own affair.")


def _tell_rules(door: IrcDoor, target: str) -> None:
    rules = door.session.rules(target)
    room = f"#{rules.room}"
    letters, params = rules.flags, []
    if rules.key:
        letters += "k"
        params.append(rules.key)
    if rules.limit:
        letters += "l"
        params.append(str(rules.limit))
    door.numeric("324", room, f"+{letters}", *params)
    door.numeric("329", room, str(rules.made_at // 1000))


async def _change(door: IrcDoor, target: str, letters: str, params: Sequence[str]) -> None:
    changes, listed, faults = _read(letters, params)
    if listed:
        rules = door.session.rules(target)
        for letter in listed:
            _tell_list(door, rules, letter)
    for letter in faults:
        door.numeric("696", target, letter, "*", f"The mode {letter} needs a parameter.")
    if not changes:
        return
    amended = await door.session.mode(target, changes)
    for text in as_text(amended.made, _TEXT_BYTES):
        door.tell(door.source, "MODE", f"#{amended.room}", *text.split(" "))
    for change, error in amended.refused:
        _refuse(door, f"#{amended.room}", change, error)


def _read(letters: str, params: Sequence[str]) -> tuple[list[Change], list[str], list[str]]:
    """What ``+ov-b`` and its parameters ask for: changes, lists to be told, and letters that lack a parameter."""
    changes: list[Change] = []
    listed: list[str] = []
    faults: list[str] = []
    words: Iterator[str] = iter(params)
    sign = "+"
    for letter in letters:
        if letter in "+-":
            sign = letter
        elif letter in _NEEDING or letter == "k" or (letter == "l" and sign == "+"):
            word = next(words, None)
            if word is not None:
                changes.append(Change(sign, letter, word))
            elif letter in LISTS:
                listed += [letter] if letter not in listed else []
            elif letter == "k" and sign == "-":
                changes.append(Change(sign, letter))
            else:
                faults.append(letter)
        else:
            changes.append(Change(sign, letter))
    return changes[:MAX_CHANGES], listed, faults


def _tell_list(door: IrcDoor, rules: RoomRules, letter: str) -> None:
    entry, end = _LISTED[letter]
    for mask, setter in rules.masks.get(letter, {}).items():
        door.numeric(entry, f"#{rules.room}", mask, setter.by or door.server, str(setter.at // 1000))
    door.numeric(end, f"#{rules.room}", "That is all.")


def _refuse(door: IrcDoor, room: str, change: Change, error: ChatError) -> None:
    if error.code == "bad-mode":
        door.numeric("472", change.letter, error.text)
    elif error.code in {"bad-mask", "bad-limit"}:
        door.numeric("696", room, change.letter, change.param or "*", error.text)
    elif error.code == "not-member":
        door.numeric("441", change.param, room, error.text)
    elif error.code == "list-full":
        door.numeric("478", room, change.letter, error.text)
    elif error.code in {"not-here", "bad-name"}:
        door.numeric("401", change.param, error.text)
    else:
        door.numeric(numeric_of(error), room, error.text)


def _own_modes(door: IrcDoor, message: Message) -> None:
    if len(message.params) == 1:
        door.numeric("221", f"+{door.session.profile.modes}")
        return
    before = door.session.profile.modes
    modes, sign, is_unknown = set(before), "+", False
    for letter in message.params[1]:
        if letter in "+-":
            sign = letter
        elif letter in _OWN_MODES or (letter == "o" and sign == "-"):
            (modes.add if sign == "+" else modes.discard)(letter)
        elif letter != "o":
            is_unknown = True
    if is_unknown:
        door.numeric("501", "There is no such mode of a person.")
    after = "".join(sorted(modes))
    if after != before:
        door.session.set_profile(door.session.profile._replace(modes=after))
        door.tell(door.source, "MODE", door.nick, _difference(before, after))


def _difference(before: str, after: str) -> str:
    added = "".join(letter for letter in after if letter not in before)
    gone = "".join(letter for letter in before if letter not in after)
    return (f"+{added}" if added else "") + (f"-{gone}" if gone else "")


async def _kick(door: IrcDoor, message: Message) -> None:
    room, names = message.params[0], message.params[1].split(",")[:MAX_KICKED]
    why = message.params[2] if len(message.params) > 2 else ""
    for name in filter(None, names):
        try:
            kicked = await door.session.kick(room, name, why)
            if kicked != door.nick:
                # Else it was told as whoever is removed.
                kept = door.session.find(room)
                reason = cut(why, MAX_WHY_BYTES) or door.nick
                door.tell(door.source, "KICK", f"#{kept}" if kept else room, kicked, reason)
        except ChatError as error:
            if error.code == "lost":
                raise
            if error.code in {"not-here", "bad-name"}:
                door.numeric("401", name, error.text)
            elif error.code == "not-member":
                door.numeric("441", name, room, error.text)
            else:
                door.numeric(numeric_of(error), room, error.text)


async def _invite(door: IrcDoor, message: Message) -> None:
    name, room = message.params[0], message.params[1]
    try:
        name = await door.session.invite(name, room)
    except ChatError as error:
        if error.code == "lost":
            raise
        context = {"not-here": [name], "bad-name": [name], "already-member": [name, room]}.get(error.code, [room])
        door.numeric(numeric_of(error), *context, error.text)
        return
    door.numeric("341", name, room)
    away = door.session.away_of(name)
    if away:
        door.numeric("301", name, away)


RULING = {
    "MODE": Command(_mode, 1),
    "KICK": Command(_kick, 2),
    "INVITE": Command(_invite, 2),
}
"""The part of the table."""
