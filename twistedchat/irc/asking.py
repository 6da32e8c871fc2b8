"""Asking for rooms and people: LIST, NAMES, WHO, WHOIS and the like.

Knows IRC's numerics, and what a session's verbs give back. Must not change anything.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.irc.commands import Command
from twistedchat.irc.entering import show_names
from twistedchat.masks import matches
from twistedchat.records import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message
    from twistedchat.records import Acquaintance, RoomEntry

__all__ = ["ASKING"]

_PAGE_CHARS = 64 * 2**10
"""Size of a part of the list of rooms that is looked up at once, in characters. Source: `formats.base.PAGE_BYTES`."""

_WHOX = re.compile(r"%([tcuihsnfdlaor]*)(?:,(\d{1,3}))?")
"""Fields of WHOX, and its token. Source: IRCv3, WHOX."""


def _masked(text: str) -> bool:
    return "*" in text or "?" in text


# -- rooms ---------------------------------------------------------------------------------------


async def _list(door: IrcDoor, message: Message) -> None:
    wanted = _wanted(message.params[0].split(",") if message.params else [])
    after = ""
    while True:
        entries = await door.session.list_rooms(after, max_chars=_PAGE_CHARS)
        for entry in entries:
            if all(is_wanted(entry) for is_wanted in wanted):
                door.numeric("322", f"#{entry.name}", str(entry.count), entry.topic)
                await door.flow()
        if sum(len(entry.name) + len(entry.topic) for entry in entries) < _PAGE_CHARS:
            break
        after = entries[-1].name
    door.numeric("323", "That is all.")


def _wanted(words: Sequence[str]) -> list[Callable[[RoomEntry], bool]]:
    """What the words of LIST demand: ``>N`` and ``<N`` people, ``!mask`` not, and one of the names or masks."""
    demands: list[Callable[[RoomEntry], bool]] = []
    names = []
    for word in filter(None, words):
        if word[0] in "<>" and word[1:].isascii() and word[1:].isdigit():
            demands.append(partial(_is_peopled, word[0], int(word[1:10])))
        elif word[0] == "!":
            demands.append(partial(_is_unlike, word[1:]))
        else:
            names.append(word)
    if names:
        demands.append(lambda entry: any(matches(name, f"#{entry.name}") for name in names))
    return demands


def _is_peopled(sign: str, number: int, entry: RoomEntry) -> bool:
    return entry.count > number if sign == ">" else entry.count < number


def _is_unlike(mask: str, entry: RoomEntry) -> bool:
    return not matches(mask, f"#{entry.name}")


async def _names(door: IrcDoor, message: Message) -> None:
    target = message.params[0].partition(",")[0] if message.params else "*"
    if target[:1] != "#":
        door.numeric("366", target, "That is everybody.")
        return
    try:
        roster = await door.session.who(target)
    except ChatError as error:
        if error.code == "lost":
            raise
        door.numeric("366", target, "That is everybody.")
        return
    await show_names(door, roster.room, roster.names)


# -- who -----------------------------------------------------------------------------------------


async def _who(door: IrcDoor, message: Message) -> None:
    target = message.params[0]
    form = _WHOX.fullmatch(message.params[1]) if len(message.params) > 1 else None
    room: str = "*"
    people: Sequence[Here] = ()
    try:
        if target[:1] == "#":
            room, people = await door.session.people_in(target)
            room = f"#{room}"
        elif _masked(target):
            people = list(door.session.people_like(target))
        else:
            people = [_as_here(await door.session.acquaintance(target))]
    except ChatError as error:
        if error.code == "lost":
            raise
    for one in people:
        if form is not None:
            _whox(door, room, one, form[1], form[2] or "0")
        else:
            user, host = f"~{one.profile.user}", one.profile.host
            flags = _flags(door, one)
            door.numeric("352", room, user, host, door.server, one.name, flags, f"0 {one.profile.real}")
        await door.flow()
    door.numeric("315", target, "That is everybody.")


def _as_here(one: Acquaintance) -> Here:
    return Here(one.name, one.profile, "")


def _flags(door: IrcDoor, one: Here) -> str:
    modes = one.profile.modes
    signs = one.rank.replace("o", "@").replace("v", "+")
    signs = signs if "multi-prefix" in door.caps else signs[:1]
    return f"{'G' if one.profile.away else 'H'}{'*' if 'o' in modes else ''}{'B' if 'B' in modes else ''}{signs}"


def _whox(door: IrcDoor, room: str, one: Here, fields: str, token: str) -> None:
    profile = one.profile
    address = profile.address if door.may_see_address(one.name) and profile.address else "255.255.255.255"
    values = {
        "t": token,
        "c": room,
        "u": f"~{profile.user}",
        "i": address,
        "h": profile.host,
        "s": door.server,
        "n": one.name,
        "f": _flags(door, one),
        "d": "0",
        "l": "0",
        "a": "0",
        "o": "n/a",
        "r": profile.real,
    }
    door.numeric("354", *(values[field] for field in values if field in fields))


async def _whois(door: IrcDoor, message: Message) -> None:
    name = message.params[-1].partition(",")[0]
    try:
        found = await door.session.acquaintance(name)
    except ChatError as error:
        if error.code == "lost":
            raise
        door.numeric("401", name, error.text)
    else:
        _tell_of(door, found)
        name = found.name
    door.numeric("318", name, "That is all.")


def _tell_of(door: IrcDoor, found: Acquaintance) -> None:
    name, profile = found.name, found.profile
    door.numeric("311", name, f"~{profile.user}", profile.host, "*", profile.real)
    line = ""
    for room, rank in found.rooms:
        word = f"{rank.replace('o', '@').replace('v', '+')}#{room}"
        if line and len(line) + len(word) > 300:
            door.numeric("319", name, line)
            line = ""
        line = f"{line} {word}".lstrip()
    if line:
        door.numeric("319", name, line)
    door.numeric("312", name, door.server, door.settings.title)
    if "o" in profile.modes:
        door.numeric("313", name, "is an operator of this server")
    if profile.away:
        door.numeric("301", name, profile.away)
    if "B" in profile.modes:
        door.numeric("335", name, "is a bot")
    if profile.address and door.may_see_address(name):
        door.numeric("338", name, profile.address, "is connected from there")
    idle = max(0, door.now - max(found.spoke_at, profile.since)) // 1000
    door.numeric("317", name, str(idle), str(profile.since // 1000), "seconds idle, here since")


def _whowas(door: IrcDoor, message: Message) -> None:
    name = message.params[0]
    limit = message.params[1] if len(message.params) > 1 else ""
    found = door.session.who_was(name, int(limit[:6]) if limit.isascii() and limit.isdigit() else 0)
    for one in found:
        door.numeric("314", one.name, f"~{one.profile.user}", one.profile.host, "*", one.profile.real)
        ago = door.stream.port.clock.seconds() - one.left_at
        door.numeric("312", one.name, door.server, f"left {int(ago)} s ago")
    if not found:
        door.numeric("406", name, "Nobody of that name was here lately.")
    door.numeric("369", name, "That is all.")


async def _ison(door: IrcDoor, message: Message) -> None:
    here = [one.name for one in await _known(door, " ".join(message.params).split(" "))]
    door.numeric("303", " ".join(here))


async def _userhost(door: IrcDoor, message: Message) -> None:
    words = []
    for one in await _known(door, " ".join(message.params).split(" ")[:5]):
        star = "*" if "o" in one.profile.modes else ""
        sign = "-" if one.profile.away else "+"
        words.append(f"{one.name}{star}={sign}~{one.profile.user}@{one.profile.host}")
    door.numeric("302", " ".join(words))


async def _known(door: IrcDoor, names: Sequence[str]) -> list[Acquaintance]:
    """Those of so many names who are here."""
    found = []
    for name in list(filter(None, names))[:_MOST_ASKED]:
        try:
            found.append(await door.session.acquaintance(name))
        except ChatError as error:
            if error.code == "lost":
                raise
    return found


_MOST_ASKED = 250
"""Most names that one ISON is answered for. Source: as many stand in a line of 512 bytes, each of one letter."""


ASKING: dict[str, Command] = {
    "LIST": Command(_list),
    "NAMES": Command(_names),
    "WHO": Command(_who, 1),
    "WHOIS": Command(_whois, 1),
    "WHOWAS": Command(_whowas, 1),
    "ISON": Command(_ison, 1),
    "USERHOST": Command(_userhost, 1),
}
"""The part of the table."""
