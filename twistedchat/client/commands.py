"""What a person can type: each command a record, from which ``/help`` is made.

Must not know a screen or a connection: it speaks to a `Desk`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twistedchat.client.history import MAX_PAGE_EVENTS, page, place
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.text import listing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twistedchat.client.desk import Desk

__all__ = ["COMMANDS", "Command", "find_command"]

MOST_SHOWN = 200
"""So many names are written out at the most."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to type.

    Attributes:
        names: The name, and others that mean the same, without ``/``.
        usage: What may come behind the name.
        summary: What it does, in a few words.
        run: Does it; gets the desk and what came behind the name, without white space around.
    """

    names: tuple[str, ...]
    usage: str
    summary: str
    run: Callable[[Desk, str], Awaitable[None]]

    @property
    def title(self) -> str:
        """How to type it."""
        return f"/{self.names[0]} {self.usage}".rstrip()


def _need(rest: str, what: str, command: str) -> str:
    if not rest:
        raise ChatError("bad-request", f"Give {what}: /{command} …; /help {command} tells more.")
    return rest


async def _help(desk: Desk, rest: str) -> None:
    if rest:
        command = find_command(rest.lstrip("/"))
        also = f" (also {listing([f'/{name}' for name in command.names[1:]])})" if command.names[1:] else ""
        desk.tell(f"{command.title}: {command.summary}{also}")
        return
    width = max(len(command.title) for command in COMMANDS)
    for command in COMMANDS:
        desk.tell(f"{command.title:{width}}  {command.summary}")
    desk.tell("Anything else is said in the room; //text says /text. /help COMMAND tells more.")


async def _nick(desk: Desk, rest: str) -> None:
    old = desk.conversation.name
    await desk.conversation.rename(_need(rest, "a name", "nick"))
    desk.tell(f"You were {old} and are {desk.conversation.name} now.")


async def _join(desk: Desk, rest: str) -> None:
    desk.enter(_need(rest, "a room", "join").split()[0])


async def _leave(desk: Desk, rest: str) -> None:
    room = desk.find(rest) if rest else desk.here
    if room is None:
        raise ChatError("not-in-room", f"You are not in #{rest.removeprefix('#')}.")
    desk.leave(room)
    desk.tell(f"You left #{room.name}.")
    if desk.room is None:
        desk.tell("You are in no room: /join #room enters one, /rooms lists them.")


async def _rooms(desk: Desk, _: str) -> None:
    answer = await desk.conversation.ask("rooms")
    for room in sorted(answer.fields["rooms"], key=lambda room: (-room["members"], room["name"])):
        people = "1 person" if room["members"] == 1 else f"{room['members']:,} people"
        here = ", you too" if room["name"] in desk.conversation.rooms else ""
        topic = f": {room['topic']}" if room["topic"] else ""
        desk.tell(f"#{room['name']} ({people}{here}){topic}")
    if answer.fields.get("more"):
        desk.tell("And more.")


async def _who(desk: Desk, rest: str) -> None:
    name = rest.removeprefix("#") or desk.here.name
    answer = await desk.conversation.ask("who", room=name)
    members = answer.fields["members"]
    count = answer.fields.get("count", len(members))
    if not members:
        desk.tell(f"Nobody is in #{name}.")
        return
    more = f", {count:,} in all" if count > MOST_SHOWN else ""
    verb = "is" if count == 1 else "are"
    desk.tell(f"{listing(members, limit=MOST_SHOWN)} {verb} in #{name}{more}.")


async def _msg(desk: Desk, rest: str) -> None:
    to, _, text = _need(rest, "a name and a text", "msg").partition(" ")
    await desk.conversation.ask("tell", to=to, text=_need(text.strip(), "a name and a text", "msg"))
    desk.tell(f"You tell {to}: {text.strip()}")


async def _reply(desk: Desk, rest: str) -> None:
    if not desk.last_teller:
        raise ChatError("not-here", "Nobody has sent you a private line yet: /msg NAME TEXT sends one.")
    await _msg(desk, f"{desk.last_teller} {_need(rest, 'a text', 'reply')}")


async def _me(desk: Desk, rest: str) -> None:
    desk.say(_need(rest, "what you do", "me"), Kind.ME)


async def _say(desk: Desk, rest: str) -> None:
    desk.say(_need(rest, "a text", "say"))


async def _topic(desk: Desk, rest: str) -> None:
    room = desk.here
    if rest:
        desk.say(rest, Kind.TOPIC)
    else:
        has_none = f"#{room.name} has no topic: /topic TEXT sets one."
        desk.tell(f"The topic of #{room.name} is: {room.topic}" if room.topic else has_none)


async def _history(desk: Desk, rest: str) -> None:
    found = re.fullmatch(r"(?:(\d{1,15}))?\s*(?:before\s+(\d{1,15}))?", rest, re.IGNORECASE | re.ASCII)
    if not found:
        raise ChatError("bad-request", "Give a number, or before and a seq: /history 50, /history before 1200.")
    room = desk.here
    limit = min(MAX_PAGE_EVENTS, max(1, int(found[1] or 20)))
    events = await page(desk.conversation, room.name, before=int(found[2]) if found[2] else None, limit=limit)
    if not events:
        desk.tell(f"Nothing was said in #{room.name} before that.")
        return
    desk.view.show_page(room, events)
    first = events[0].seq
    desk.tell(f"/history before {first} shows what was said earlier." if first > 1 else "That is where it began.")


async def _since(desk: Desk, rest: str) -> None:
    room = desk.here
    seq = await place(desk.conversation, room.name, _need(rest, "a seq or a time", "since"), desk.seconds())
    desk.view.go_back(room, seq)


async def _ignore(desk: Desk, rest: str) -> None:
    if rest:
        desk.wishes.ignored.add(rest.casefold())
    desk.tell(f"You ignore {listing(sorted(desk.wishes.ignored))}.")


async def _unignore(desk: Desk, rest: str) -> None:
    name = _need(rest, "a name", "unignore")
    if name.casefold() not in desk.wishes.ignored:
        raise ChatError("not-ignored", f"You do not ignore {name}; /ignore lists whom you do.")
    desk.wishes.ignored.remove(name.casefold())
    desk.tell(f"You ignore {name} no more.")


_SWITCHES = {"on": True, "off": False, "yes": True, "no": False}
_WISHES = ("seq", "presence", "bell")


async def _set(desk: Desk, rest: str) -> None:
    if rest:
        name, _, value = rest.lower().partition(" ")
        if name not in _WISHES or value.strip() not in _SWITCHES:
            raise ChatError("bad-request", "Set seq, presence or bell to on or off: /set bell on.")
        setattr(desk.wishes, name, _SWITCHES[value.strip()])
    shown = [f"{name} {'on' if getattr(desk.wishes, name) else 'off'}" for name in _WISHES]
    desk.tell(f"Set: {', '.join(shown)}.")


async def _ping(desk: Desk, _: str) -> None:
    began = desk.seconds()
    await desk.conversation.ask("ping")
    desk.tell(f"The server answers within {(desk.seconds() - began) * 1000:.0f} ms.")


async def _quit(desk: Desk, _: str) -> None:
    desk.view.finish()


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
    Command(("topic",), "[TEXT]", "shows or sets what the room is about", _topic),
    Command(("history",), "[N] [before SEQ]", "shows what was said earlier", _history),
    Command(("since",), "SEQ | HH:MM", "shows all that was said since then", _since),
    Command(("ignore",), "[NAME]", "shows you nothing of somebody; without a name, whom you ignore", _ignore),
    Command(("unignore",), "NAME", "ends that", _unignore),
    Command(("set",), "[seq|presence|bell on|off]", "changes how things are shown to you", _set),
    Command(("ping",), "", "tells how fast the server answers", _ping),
    Command(("quit", "exit", "bye"), "", "leaves, when all that you said is stored", _quit),
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
            f"There is no command /{name[:24]}; /help lists them. To say a line that begins with /, type //.",
        )
    return command
