"""What a person types behind ``/``: the verbs of the one table (`twistedchat.verbs`), bound to a session's.

Knows the words' arguments and the sentences of their answers. Must not know a connection: it speaks to a
`Talker`.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Any, Protocol

from twistedchat.doors.timeofday import time_today
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.names import clean_name
from twistedchat.rooms.audience import SMALL_ROOM
from twistedchat.rooms.tail import PAGE_EVENTS
from twistedchat.rules import Actor, may
from twistedchat.text import listing, safe
from twistedchat.verbs import find_word, help_lines

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Coroutine, Sequence

    from twisted.internet.defer import Deferred

    from twistedchat.doors.display import Display
    from twistedchat.events import Event
    from twistedchat.people.base import Named
    from twistedchat.records import Roster
    from twistedchat.session import Session

    Answering = Coroutine[Deferred[Any], Any, None]
    """An answer that may have to wait for something."""

__all__ = ["BOUND", "Talker", "people_in", "run_word"]

MAX_SHOWN = 200
"""Most names or rooms in one answer. Source: chosen; eight screens of a terminal."""

MAX_TOPIC_SHOWN = 100
"""Longest topic in the list of rooms, in characters. Source: 200 whole topics would be 800 kB for one answer."""

DEFAULT_HISTORY = 20
"""Events that ``/history`` shows without a number. Source: docs/protocol.md, "Plain text"."""


class Talker(Protocol):
    """A person at a connection, as a command sees it.

    Attributes:
        session: The person's session.
        last_teller: Who sent the last private line; its name is "" if it has left.
    """

    session: Session
    last_teller: Named | None

    @property
    def display(self) -> Display:
        """How the person wants to be shown things; after a change call `redraw`."""
        ...

    @property
    def room(self) -> str:
        """The room that the person talks in; raises a `ChatError` if there is none."""
        ...

    def now(self) -> float:
        """The time of day, in seconds since 1970."""
        ...

    def tell(self, text: str) -> None:
        """Show the person a line of its own."""
        ...

    def tell_topic(self, room: str) -> None:
        """Tell the person what a room is about, if it is about something."""
        ...

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say a line in the room that the person talks in."""
        ...

    async def enter(self, name: str, key: str = "") -> str:
        """Enter a room, with its key if it has one, and talk there from now on; its name as it is spelled."""
        ...

    def leave(self, name: str) -> str:
        """Leave a room; then talk in the one entered before it, if any."""
        ...

    def redraw(self) -> None:
        """From now on show everything as `display` says."""
        ...

    def show_events(self, events: Sequence[Event]) -> Sequence[Event]:
        """Show the newest of these events of the current room that fit; return those that were shown."""
        ...

    def finish(self, why: str) -> None:
        """Say farewell and close, when all that was said is stored and shown."""
        ...


def run_word(talker: Talker, word: str, rest: str) -> Answering | None:
    """Do what was typed.

    Args:
        talker: Who typed it.
        word: What came behind ``/``.
        rest: What came behind the word, without white space around.

    Returns:
        What is to be awaited, if it has to wait for something; it may raise as this does.

    Raises:
        ChatError: It can't be done.
    """
    verb = find_word(word)
    may(Actor(talker.session.name, 0), verb.name)
    return BOUND[verb.name](talker, rest)


def people_in(roster: Roster, me: str) -> str:
    """``with bob and carol``: who else is in a room."""
    if roster.count > SMALL_ROOM:
        return f" with {roster.count - 1:,} others (/who names them)"
    others = [name for name in roster.names if name != me]
    return f" with {listing(others)}" if others else ", and nobody else is here yet"


def _need(rest: str, what: str, command: str) -> str:
    """What came behind a command that needs something."""
    if not rest:
        raise ChatError("bad-request", f"Give {what}: /{command} …; /help {command} tells more.")
    return rest


def _split(rest: str, what: str, command: str) -> tuple[str, str]:
    """A name and a text."""
    name, _, text = _need(rest, what, command).partition(" ")
    return name, _need(text.strip(), what, command)


def _help(talker: Talker, rest: str) -> None:
    for line in help_lines(rest):
        talker.tell(line)


async def _rename(talker: Talker, rest: str) -> None:
    old = talker.session.name
    await talker.session.rename(_need(rest, "a name", "nick"))
    talker.tell(f"You were {old} and are {talker.session.name} now.")


async def _join(talker: Talker, rest: str) -> None:
    name, _, key = _need(rest, "a room", "join").partition(" ")
    room = await talker.enter(name, key.strip())
    talker.tell(f"You are in #{room}{people_in(talker.session.roster(room), talker.session.name)}.")
    talker.tell_topic(room)


def _leave(talker: Talker, rest: str) -> None:
    talker.tell(f"You left #{talker.leave(rest or talker.room)}.")
    if any(talker.session.rooms):
        talker.tell(f"You talk in #{talker.room} now.")
    else:
        talker.tell("You are in no room: /join #room enters one, /rooms lists them.")


async def _rooms(talker: Talker, _: str) -> None:
    rooms = await talker.session.busiest_rooms(limit=MAX_SHOWN + 1)
    for room in rooms[:MAX_SHOWN]:
        people = "1 person" if room.count == 1 else f"{room.count:,} people"
        here = ", you too" if room.is_member else ""
        topic = f": {_shortened(room.topic)}" if room.topic else ""
        talker.tell(f"#{room.name} ({people}{here}){topic}")
    if len(rooms) > MAX_SHOWN:
        talker.tell("And more.")


def _shortened(topic: str) -> str:
    return topic if len(topic) <= MAX_TOPIC_SHOWN else f"{topic[: MAX_TOPIC_SHOWN - 1]}…"


async def _who(talker: Talker, rest: str) -> None:
    roster = await talker.session.who(rest or talker.room)
    if not roster.count:
        talker.tell(f"Nobody is in #{roster.room}.")
        return
    verb = "is" if roster.count == 1 else "are"
    talker.tell(f"{listing(roster.names, limit=MAX_SHOWN)} {verb} in #{roster.room}.")


async def _tell(talker: Talker, rest: str) -> None:
    to, text = _split(rest, "a name and a text", "msg")
    name = await talker.session.tell(to, text)
    talker.tell(f"You tell {name}: {text}")
    if away := talker.session.away_of(name):
        talker.tell(f"{name} is away: {away}")


async def _reply(talker: Talker, rest: str) -> None:
    if talker.last_teller is None:
        raise ChatError("not-here", "Nobody has sent you a private line yet: /msg NAME TEXT sends one.")
    if not talker.last_teller.name:
        raise ChatError("not-here", "Whoever sent you the last private line has left.")
    await _tell(talker, f"{talker.last_teller.name} {_need(rest, 'a text', 'reply')}")


def _me(talker: Talker, rest: str) -> None:
    talker.say(_need(rest, "what you do", "me"), Kind.ME)


def _say(talker: Talker, rest: str) -> None:
    talker.say(_need(rest, "a text", "say"))


def _topic(talker: Talker, rest: str) -> None:
    if rest:
        talker.say("" if rest == "-" else rest, Kind.TOPIC)
        return
    topic = talker.session.topic(talker.room)
    has_none = f"#{talker.room} has no topic: /topic TEXT sets one."
    talker.tell(f"The topic of #{talker.room} is: {topic}" if topic else has_none)


async def _history(talker: Talker, rest: str) -> None:
    found = re.fullmatch(r"(?:(\d{1,18}))?\s*(?:before\s+(\d{1,18}))?", rest, re.IGNORECASE | re.ASCII)
    if not found or found[1] == "0":
        raise ChatError("bad-request", "Give a number from 1, or before and a seq: /history 50, /history before 1200.")
    limit = min(PAGE_EVENTS, int(found[1] or DEFAULT_HISTORY))
    room = talker.room
    excerpt = await talker.session.history(room, before=int(found[2]) if found[2] else None, limit=limit)
    if not excerpt.events:
        talker.tell(f"Nothing was said in #{room} before that.")
        return
    first, last = excerpt.events[0].seq, excerpt.events[-1].seq
    talker.tell(f"From {first} to {last} of {excerpt.seq} in #{room}:")
    shown = talker.show_events(excerpt.events)
    first = shown[0].seq
    talker.tell(f"/history before {first} shows what was said earlier." if first > 1 else "That is all.")


async def _since(talker: Talker, rest: str) -> None:
    room = talker.room
    if re.fullmatch(r"\d{1,18}", rest, re.ASCII):
        seq = int(rest)
    else:
        at = time_today(rest, talker.now(), talker.display.zone)
        if at is None:
            raise ChatError("bad-request", "Give a seq or a time of day: /since 1200, /since 14:30.")
        seq = await talker.session.seq_at(room, at)
    last = talker.session.last_seq(room)
    if seq >= last:
        talker.tell(f"Nothing was said in #{room} since then; the last was {last}.")
        return
    talker.tell(f"From {talker.session.rewind(room, seq) + 1} on in #{room}:")
    talker.session.show_all()


def _ignore(talker: Talker, rest: str) -> None:
    display = talker.display
    if rest:
        if len(display.ignoring or ()) >= MAX_SHOWN:
            raise ChatError("too-many", "You ignore too many people: /unignore somebody first.")
        display.ignore(clean_name(rest))
        talker.redraw()
    talker.tell(f"You ignore {listing(list(display.ignoring or ()))}.")


def _unignore(talker: Talker, rest: str) -> None:
    name = clean_name(_need(rest, "a name", "unignore"))
    if not talker.display.unignore(name):
        raise ChatError("not-ignored", f"You do not ignore {name}; /ignore lists whom you do.")
    talker.redraw()
    talker.tell(f"You ignore {name} no more.")


_SWITCHES = {"on": True, "off": False, "yes": True, "no": False}


def _set(talker: Talker, rest: str) -> None:
    name, _, value = rest.lower().partition(" ")
    display = talker.display
    if name == "zone" and value:
        display.zone = _zone(rest.split(maxsplit=1)[1])
    elif name in {"seq", "presence", "bell"} and value.strip() in _SWITCHES:
        setattr(display, name, _SWITCHES[value.strip()])
    elif rest:
        raise ChatError("bad-request", "Set seq, presence or bell to on or off, or zone to one such as Asia/Tokyo.")
    talker.redraw()
    shown = [f"{switch} {'on' if getattr(display, switch) else 'off'}" for switch in ("seq", "presence", "bell")]
    talker.tell(f"Set: zone {display.zone or 'server'}, {', '.join(shown)}.")


def _zone(name: str) -> datetime.tzinfo | None:
    name = name.strip()
    if name.lower() == "server":
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = safe(name[:40])
        raise ChatError("bad-zone", f"There is no zone {shown}: give one such as Asia/Tokyo, UTC or server.") from error


def _ping(talker: Talker, _: str) -> None:
    talker.tell("Pong.")


def _quit(talker: Talker, rest: str) -> None:
    talker.finish(rest)


BOUND: dict[str, Callable[[Talker, str], Answering | None]] = {
    "help": _help,
    "rename": _rename,
    "join": _join,
    "leave": _leave,
    "rooms": _rooms,
    "who": _who,
    "tell": _tell,
    "reply": _reply,
    "me": _me,
    "say": _say,
    "topic": _topic,
    "history": _history,
    "since": _since,
    "ignore": _ignore,
    "unignore": _unignore,
    "set": _set,
    "ping": _ping,
    "quit": _quit,
}
"""What each verb that has words does here; by its name."""
