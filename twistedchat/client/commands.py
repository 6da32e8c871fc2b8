"""What each verb of `twistedchat.verbs` that can be typed does in this client.

Must not know a screen or a connection: it speaks to a `CommandContext`. Words, usage and ``/help`` are the
table's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from twistedchat.client.history import MAX_PAGE_EVENTS, page, place
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.names import clean_room
from twistedchat.text import listing
from twistedchat.verbs import find_word, help_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import TypeAlias

    from twistedchat.client.conversation import Conversation
    from twistedchat.client.notifications import JoinedRoom
    from twistedchat.client.settings import DisplaySettings
    from twistedchat.client.view import View
    from twistedchat.events import Event

__all__ = ["BINDINGS", "CommandContext", "run_command"]

MOST_SHOWN = 200
"""Upper bound of names that are written out in one line. Source: a screen of 80 columns and 24 rows, full."""

HISTORY_EVENTS = 20
"""Number of events that ``/history`` shows without a number. Source: as at telnet, docs/protocol.md."""

_NO_ROOM = "You are in no room: /join #room enters one, /rooms lists them."

_HISTORY = re.compile(r"(?:(\d{1,15}))?\s*(?:before\s+(\d{1,15}))?", re.IGNORECASE | re.ASCII)


class CommandContext(Protocol):
    """Who types commands, as they see it; `Controller` has the meaning of each attribute."""

    conversation: Conversation
    seconds: Callable[[], float]
    room: JoinedRoom | None
    last_teller: str
    farewell: str
    settings: DisplaySettings
    view: View

    @property
    def here(self) -> JoinedRoom:
        """The room that the person talks in; raises a `ChatError` if there is none."""
        ...

    def tell(self, text: str) -> None:
        """Show a line for this person alone."""
        ...

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say something in the room that the person talks in."""
        ...

    def enter(self, name: str, key: str = "") -> None:
        """Enter a room, and talk there from now on."""
        ...

    def leave(self, room: JoinedRoom) -> None:
        """Leave a room; then talk in another, if there is one."""
        ...

    def show_page(self, room: JoinedRoom, events: Sequence[Event]) -> None:
        """Show events of the past."""
        ...


if TYPE_CHECKING:
    Binding: TypeAlias = Callable[[CommandContext, str], Awaitable[None]]


async def run_command(context: CommandContext, word: str, rest: str) -> None:
    """Do what a typed command asks.

    Args:
        context: The person's.
        word: What stands behind ``/``, in any case.
        rest: What stands behind that, without white space around.

    Raises:
        ChatError: There is no such command; or it can't be done, and why.
    """
    await BINDINGS[find_word(word).name](context, rest)


def _need(rest: str, what: str, word: str) -> str:
    if not rest:
        raise ChatError("bad-request", f"Give {what}: /{word} …; /help {word} tells more.")
    return rest


async def _help(context: CommandContext, rest: str) -> None:
    for line in help_lines(rest):
        context.tell(line)


async def _rename(context: CommandContext, rest: str) -> None:
    old = context.conversation.name
    await context.conversation.rename(_need(rest, "a name", "nick"))
    context.tell(f"You were {old} and are {context.conversation.name} now.")


async def _join(context: CommandContext, rest: str) -> None:
    name, _, key = _need(rest, "a room", "join").partition(" ")
    context.enter(clean_room(name), key.strip())


async def _leave(context: CommandContext, rest: str) -> None:
    room = context.conversation.find(rest) if rest else context.here
    if room is None:
        raise ChatError("not-in-room", f"You are not in #{clean_room(rest)}: there is nothing to leave.")
    context.leave(room)
    if context.room is None:
        context.tell(_NO_ROOM)


async def _rooms(context: CommandContext, _: str) -> None:
    answer = await context.conversation.ask("rooms")
    for room in sorted(answer.fields["rooms"], key=lambda room: (-room["members"], room["name"])):
        people = "1 person" if room["members"] == 1 else f"{room['members']:,} people"
        here = ", you too" if room["name"] in context.conversation.rooms else ""
        topic = f": {room['topic']}" if room["topic"] else ""
        context.tell(f"#{room['name']} ({people}{here}){topic}")
    if answer.fields.get("more"):
        context.tell("And more.")


async def _who(context: CommandContext, rest: str) -> None:
    name = rest.removeprefix("#") or context.here.name
    answer = await context.conversation.ask("who", room=name)
    members = answer.fields["members"]
    count = answer.fields.get("count", len(members))
    if not members:
        context.tell(f"Nobody is in #{answer.fields.get('room', name)}.")
        return
    more = f", {count:,} in all" if count > MOST_SHOWN else ""
    verb = "is" if count == 1 else "are"
    context.tell(f"{listing(members, limit=MOST_SHOWN)} {verb} in #{answer.fields.get('room', name)}{more}.")


async def _tell(context: CommandContext, rest: str) -> None:
    to, _, text = _need(rest, "a name and a text", "msg").partition(" ")
    await context.conversation.ask("tell", to=to, text=_need(text.strip(), "a name and a text", "msg"))
    context.tell(f"You tell {to}: {text.strip()}")


async def _reply(context: CommandContext, rest: str) -> None:
    if not context.last_teller:
        raise ChatError("not-here", "Nobody has sent you a private line yet: /msg NAME TEXT sends one.")
    await _tell(context, f"{context.last_teller} {_need(rest, 'a text', 'reply')}")


async def _me(context: CommandContext, rest: str) -> None:
    context.say(_need(rest, "what you do", "me"), Kind.ME)


async def _say(context: CommandContext, rest: str) -> None:
    context.say(_need(rest, "a text", "say"))


async def _topic(context: CommandContext, rest: str) -> None:
    room = context.here
    if rest:
        context.say("" if rest == "-" else rest, Kind.TOPIC)
    elif room.topic:
        context.tell(f"The topic of #{room.name} is: {room.topic}")
    else:
        context.tell(f"#{room.name} has no topic: /topic TEXT sets one.")


async def _history(context: CommandContext, rest: str) -> None:
    found = _HISTORY.fullmatch(rest)
    if not found or found[1] == "0":
        raise ChatError("bad-request", "Give a number from 1, or before and a seq: /history 50, /history before 1200.")
    room = context.here
    limit = min(MAX_PAGE_EVENTS, max(1, int(found[1] or HISTORY_EVENTS)))
    before = int(found[2]) if found[2] else None
    events = await page(context.conversation, room.name, before=before, limit=limit)
    if not events:
        context.tell(f"Nothing was said in #{room.name} before that.")
        return
    context.show_page(room, events)
    first = events[0].seq
    context.tell(f"/history before {first} shows what was said earlier." if first > 1 else "That is all.")


async def _since(context: CommandContext, rest: str) -> None:
    room = context.here
    text = _need(rest, "a seq or a time of day", "since")
    settings = context.settings
    seq = await place(context.conversation, room.name, text, context.seconds(), settings.zone)
    if room.after is not None and seq >= room.after:
        context.tell(f"Nothing was said in #{room.name} since then; the last was {room.after}.")
        return
    context.view.go_back(room, seq)


async def _ignore(context: CommandContext, rest: str) -> None:
    if rest:
        context.settings.ignore(rest)
    context.tell(f"You ignore {listing(list(context.settings.ignored))}.")


async def _unignore(context: CommandContext, rest: str) -> None:
    name = context.settings.unignore(_need(rest, "a name", "unignore"))
    context.tell(f"You ignore {name} no more.")


async def _set(context: CommandContext, rest: str) -> None:
    if rest:
        name, _, value = rest.partition(" ")
        context.settings.change(name, value.strip())
        context.view.settings_changed()
    context.tell(f"Set: {context.settings.summary}.")


async def _ping(context: CommandContext, _: str) -> None:
    began = context.seconds()
    await context.conversation.ask("ping")
    context.tell(f"The server answers within {(context.seconds() - began) * 1000:.0f} ms.")


async def _quit(context: CommandContext, rest: str) -> None:
    context.farewell = rest
    context.view.finish()


BINDINGS: Mapping[str, Binding] = {
    "help": _help,
    "rename": _rename,
    "join": _join,
    "leave": _leave,
    "rooms": _rooms,
    "who": _who,
    "tell": _tell,
    "reply": _reply,
    "say": _say,
    "me": _me,
    "topic": _topic,
    "history": _history,
    "since": _since,
    "ignore": _ignore,
    "unignore": _unignore,
    "set": _set,
    "ping": _ping,
    "quit": _quit,
}
"""By the name of the verb. A test fails when one with words is missing."""
