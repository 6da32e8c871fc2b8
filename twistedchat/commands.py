"""What a person can type: each command a record, from which ``/help`` is made.

Turns words into a session's verbs. Must not know a connection: it speaks to a `Talker`.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.names import clean_name, likenesses
from twistedchat.room import PAGE_EVENTS, PRESENCE_LIMIT
from twistedchat.text import listing, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from twisted.internet.defer import Deferred

    from twistedchat.events import Event
    from twistedchat.hub import Hub, Person
    from twistedchat.room import Room
    from twistedchat.session import Session

    type_of_answer = Coroutine[Deferred[None], None, None]

__all__ = ["COMMANDS", "Command", "Screen", "Talker", "find_command", "people_in"]

_NOBODY: frozenset[str] = frozenset()

MOST_SHOWN = 200
"""So many names or rooms are written out at the most."""


@dataclass(slots=True)
class Screen:
    """How one person wants to be shown things; what ``/set`` and ``/ignore`` change.

    Attributes:
        zone: The zone of the times; None is the server's.
        seq: Whether events are shown with their number.
        presence: Whether coming and going is shown.
        bell: Whether to ring when one's name is said.
        ignoring: The names that are not shown, by the name as it was typed.
    """

    zone: datetime.tzinfo | None = None
    seq: bool = False
    presence: bool = True
    bell: bool = False
    ignoring: dict[str, frozenset[str]] | None = None

    def ignores(self, who: str) -> bool:
        """Whether nothing of this person is to be shown."""
        return bool(self.ignoring) and not self.ignored.isdisjoint(likenesses(who))

    @property
    def ignored(self) -> frozenset[str]:
        """The likenesses of everybody who is ignored."""
        return frozenset().union(*self.ignoring.values()) if self.ignoring else _NOBODY


class Talker(Protocol):
    """A person at a connection, as a command sees it.

    Attributes:
        session: The person's session.
        screen: How the person wants to be shown things; after a change call `redraw`.
        last_teller: Who sent the last private line; its name is "" if it has left.
    """

    session: Session
    hub: Hub
    screen: Screen
    last_teller: Person | None

    @property
    def room(self) -> Room:
        """The room that the person talks in; raises a `ChatError` if there is none."""
        ...

    def tell(self, text: str) -> None:
        """Show the person a line of its own."""
        ...

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say a line in the room that the person talks in."""
        ...

    async def enter(self, name: str) -> Room:
        """Enter a room and talk there from now on."""
        ...

    def leave(self, name: str) -> Room:
        """Leave a room; then talk in the one entered before it, if any."""
        ...

    def redraw(self) -> None:
        """From now on show everything as `screen` says."""
        ...

    def show_events(self, events: Sequence[Event]) -> None:
        """Show events of the room that the person talks in, beside its cursor."""
        ...

    def go_back(self, seq: int) -> None:
        """Show everything in the room that the person talks in from after this seq on."""
        ...

    def finish(self, why: str) -> None:
        """Say farewell and close, when all that was said is stored and shown."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """Something to type.

    Attributes:
        names: The name, and others that mean the same, without ``/``.
        usage: What may come behind the name.
        summary: What it does, in a few words.
        run: Does it; gets the talker and what came behind the name, without white space around.
    """

    names: tuple[str, ...]
    usage: str
    summary: str
    run: Callable[[Talker, str], type_of_answer | None]

    @property
    def title(self) -> str:
        """How to type it."""
        return f"/{self.names[0]} {self.usage}".rstrip()


def people_in(room: Room, me: str) -> str:
    """``with bob and carol``: who else is in a room."""
    if room.count > PRESENCE_LIMIT:
        return f" with {room.count - 1:,} others (/who names them)"
    others = [name for name in room.names if name != me]
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
    if not rest:
        width = max(len(command.title) for command in COMMANDS)
        for command in COMMANDS:
            talker.tell(f"{command.title:{width}}  {command.summary}")
        talker.tell("Anything else is said in the room; //text says /text. /help COMMAND tells more.")
        return
    command = find_command(rest.lstrip("/"))
    also = f" (also {listing([f'/{name}' for name in command.names[1:]])})" if command.names[1:] else ""
    talker.tell(f"{command.title}: {command.summary}{also}")


def _nick(talker: Talker, rest: str) -> None:
    old = talker.session.name
    talker.session.rename(_need(rest, "a name", "nick"))
    talker.redraw()
    talker.tell(f"You were {old} and are {talker.session.name} now.")


async def _join(talker: Talker, rest: str) -> None:
    room = await talker.enter(_need(rest, "a room", "join"))
    talker.tell(f"You are in #{room.name}{people_in(room, talker.session.name)}.")
    if room.topic:
        talker.tell(f"The topic is: {room.topic}")


def _leave(talker: Talker, rest: str) -> None:
    room = talker.leave(rest or talker.room.name)
    talker.tell(f"You left #{room.name}.")
    if talker.session.members:
        talker.tell(f"You talk in #{talker.room.name} now.")
    else:
        talker.tell("You are in no room: /join #room enters one, /rooms lists them.")


def _rooms(talker: Talker, _: str) -> None:
    rooms = sorted(talker.hub.rooms, key=lambda room: -room.count)
    for room in rooms[:MOST_SHOWN]:
        people = "1 person" if room.count == 1 else f"{room.count:,} people"
        here = ", you too" if room in talker.session.members else ""
        topic = f": {room.topic}" if room.topic else ""
        talker.tell(f"#{room.name} ({people}{here}){topic}")
    if len(rooms) > MOST_SHOWN:
        talker.tell(f"And {len(rooms) - MOST_SHOWN:,} more.")


def _who(talker: Talker, rest: str) -> None:
    room = talker.session.known_room(rest) if rest else talker.room
    if not room.count:
        talker.tell(f"Nobody is in #{room.name}.")
        return
    verb = "is" if room.count == 1 else "are"
    talker.tell(f"{listing(room.names, limit=MOST_SHOWN)} {verb} in #{room.name}.")


def _msg(talker: Talker, rest: str) -> None:
    to, text = _split(rest, "a name and a text", "msg")
    name = talker.session.send(to, text)
    talker.tell(f"You tell {name}: {text}")


def _reply(talker: Talker, rest: str) -> None:
    if talker.last_teller is None:
        raise ChatError("not-here", "Nobody has sent you a private line yet: /msg NAME TEXT sends one.")
    if not talker.last_teller.name:
        raise ChatError("not-here", "Whoever sent you the last private line has left.")
    _msg(talker, f"{talker.last_teller.name} {_need(rest, 'a text', 'reply')}")


def _me(talker: Talker, rest: str) -> None:
    talker.say(_need(rest, "what you do", "me"), Kind.ME)


def _say(talker: Talker, rest: str) -> None:
    talker.say(_need(rest, "a text", "say"))


def _topic(talker: Talker, rest: str) -> None:
    if rest:
        talker.say("" if rest == "-" else rest, Kind.TOPIC)
    elif talker.room.topic:
        talker.tell(f"The topic of #{talker.room.name} is: {talker.room.topic}")
    else:
        talker.tell(f"#{talker.room.name} has no topic: /topic TEXT sets one.")


async def _history(talker: Talker, rest: str) -> None:
    found = re.fullmatch(r"(?:(\d{1,18}))?\s*(?:before\s+(\d{1,18}))?", rest, re.IGNORECASE | re.ASCII)
    if not found or found[1] == "0":
        raise ChatError("bad-request", "Give a number from 1, or before and a seq: /history 50, /history before 1200.")
    limit = min(PAGE_EVENTS, max(1, int(found[1] or 20)))
    room = talker.room
    events = await talker.hub.read(room, before=int(found[2]) if found[2] else room.seq + 1, limit=limit)
    if not events:
        talker.tell(f"Nothing was said in #{room.name} before that.")
        return
    talker.tell(f"From {events[0].seq} to {events[-1].seq} of {room.seq} in #{room.name}:")
    talker.show_events(events)
    talker.tell(
        f"/history before {events[0].seq} shows what was said earlier." if events[0].seq > 1 else "That is all."
    )


async def _since(talker: Talker, rest: str) -> None:
    room = talker.room
    if re.fullmatch(r"\d{1,18}", rest, re.ASCII):
        seq = int(rest)
    else:
        at = _time_today(rest, talker.hub.reactor.seconds(), talker.screen.zone)
        seq = await talker.hub.seq_at(room, at)
    if seq >= room.seq:
        talker.tell(f"Nothing was said in #{room.name} since then; the last was {room.seq}.")
        return
    talker.tell(f"From {seq + 1} on in #{room.name}:")
    talker.go_back(seq)


def _time_today(text: str, now: float, zone: datetime.tzinfo | None) -> int:
    """The last moment at which it was this time of day, in milliseconds."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", text, re.ASCII)
    if not found:
        raise ChatError("bad-request", "Give a seq or a time of day: /since 1200, /since 14:30.")
    here = datetime.datetime.fromtimestamp(now, datetime.UTC).astimezone(zone)
    then = here.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
    if then > here:
        then -= datetime.timedelta(days=1)
    return int(then.timestamp() * 1000)


def _ignore(talker: Talker, rest: str) -> None:
    ignoring = talker.screen.ignoring = talker.screen.ignoring or {}
    if rest:
        if len(ignoring) >= MOST_SHOWN:
            raise ChatError("too-many", "You ignore too many people: /unignore somebody first.")
        name = clean_name(rest)
        ignoring[name] = frozenset(likenesses(name))
        talker.redraw()
    names = listing(list(ignoring)) if ignoring else "nobody"
    talker.tell(f"You ignore {names}.")


def _unignore(talker: Talker, rest: str) -> None:
    name = clean_name(_need(rest, "a name", "unignore"))
    ignoring = talker.screen.ignoring or {}
    matching = [other for other, keys in ignoring.items() if not keys.isdisjoint(likenesses(name))]
    if not matching:
        raise ChatError("not-ignored", f"You do not ignore {name}; /ignore lists whom you do.")
    for other in matching:
        del ignoring[other]
    talker.redraw()
    talker.tell(f"You ignore {name} no more.")


_SWITCHES = {"on": True, "off": False, "yes": True, "no": False}


def _set(talker: Talker, rest: str) -> None:
    name, _, value = rest.lower().partition(" ")
    screen = talker.screen
    if name == "zone" and value:
        screen.zone = _zone(rest.split(maxsplit=1)[1])
    elif name in {"seq", "presence", "bell"} and value.strip() in _SWITCHES:
        setattr(screen, name, _SWITCHES[value.strip()])
    elif rest:
        raise ChatError("bad-request", "Set seq, presence or bell to on or off, or zone to one such as Asia/Tokyo.")
    talker.redraw()
    shown = [f"{switch} {'on' if getattr(screen, switch) else 'off'}" for switch in ("seq", "presence", "bell")]
    talker.tell(f"Set: zone {screen.zone or 'server'}, {', '.join(shown)}.")


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


COMMANDS: tuple[Command, ...] = (
    Command(("help", "h", "?"), "[COMMAND]", "lists the commands, or tells about one", _help),
    Command(("nick", "name"), "NAME", "gives you another name", _nick),
    Command(("join", "j"), "#ROOM", "enters a room, and talks there from then on", _join),
    Command(("leave", "part"), "[#ROOM]", "leaves a room", _leave),
    Command(("rooms", "list"), "", "lists the rooms", _rooms),
    Command(("who", "names"), "[#ROOM]", "tells who is in a room", _who),
    Command(("msg", "tell", "query", "w"), "NAME TEXT", "says something to one person alone", _msg),
    Command(("reply", "r"), "TEXT", "answers the last private line", _reply),
    Command(("me", "action"), "TEXT", "says what you do: * you TEXT", _me),
    Command(("say",), "TEXT", "says something, whatever it begins with", _say),
    Command(("topic",), "[TEXT | -]", "shows, sets or clears what the room is about", _topic),
    Command(("history",), "[N] [before SEQ]", "shows what was said earlier", _history),
    Command(("since",), "SEQ | HH:MM", "shows again all that was said since then", _since),
    Command(("ignore",), "[NAME]", "shows you nothing of somebody; without a name, whom you ignore", _ignore),
    Command(("unignore",), "NAME", "ends that", _unignore),
    Command(("set",), "[seq|presence|bell on|off] [zone ZONE]", "changes how things are shown to you", _set),
    Command(("ping",), "", "answers, so that you know that the server does", _ping),
    Command(("quit", "exit", "bye"), "[WHY]", "leaves, when all that you said is stored", _quit),
)

_BY_NAME = {name: command for command in COMMANDS for name in command.names}


def find_command(name: str) -> Command:
    """The command of this name, without ``/``, in any case.

    Raises:
        ChatError: ``no-such-command``.
    """
    command = _BY_NAME.get(name.lower())
    if command is None:
        raise ChatError(
            "no-such-command",
            f"There is no command /{safe(name[:24])}; /help lists them. To say a line that begins with /, type //.",
        )
    return command
