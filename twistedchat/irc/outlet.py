"""What an IRC client is shown: rooms, private lines, and what becomes of its own lines.

Knows IRC's lines and a session. Must not know what the client asks for, nor how bytes are sent.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twistedchat.doors.channel import FAULT, Farewell
from twistedchat.events import Kind
from twistedchat.irc.format import IrcFormat, Tags
from twistedchat.irc.message import label_tag, write
from twistedchat.irc.waiting import Waiting
from twistedchat.irc.watched import OFFLINE, ONLINE, changes, watched
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.doors.settings import Settings
    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.errors import ChatError
    from twistedchat.events import Event
    from twistedchat.formats.base import Page
    from twistedchat.hub import Hub
    from twistedchat.irc.arrivals import Arrivals
    from twistedchat.irc.missed import Missed
    from twistedchat.irc.replay import Replay
    from twistedchat.people.base import Named
    from twistedchat.people.watching import Seen
    from twistedchat.stores.base import Stored

__all__ = ["IrcOutlet"]


MAX_OWN = 4096
"""Most lines of one client in one room that are stored and that it was not shown yet, while the log can't be read.

Source: chosen; of more it is shown the oldest as anybody is.
"""


class IrcOutlet:
    """The client's side of the core: `speaker.Listener` and `writer.Receipt`.

    Args:
        waiting: Commands that wait until something is stored, shown or taken.
        is_held: Whether nothing of a room is to be shown now: an answer is not complete yet.
        stream: The connection.

    Attributes:
        stream: As above.
        session: The person.
        caps: The capabilities that the client has asked for.
        format: How rooms are shown to it.
        unanswered: How many of its lines are not yet stored or refused.
        replays: By room, how what was said earlier, or missed, is shown.
        arrivals: What has arrived; None if nobody needs to know.
    """

    __slots__ = (
        "_own",
        "_wire",
        "arrivals",
        "caps",
        "format",
        "is_held",
        "replays",
        "session",
        "stream",
        "unanswered",
        "waiting",
    )

    def __init__(self, stream: ChatProtocol) -> None:
        self.stream = stream
        self._wire = stream.wire
        self.session = Session(stream.port.hub, self)
        self.caps: frozenset[str] = frozenset()
        self.format = self._wished_format()
        self.unanswered = 0
        self.replays: dict[str, Replay | Missed] = {}
        self.is_held = False
        self.arrivals: Arrivals | None = None
        # By room, the seqs of lines that this connection said: with a label, or None for those that it is not shown.
        self._own: dict[str, dict[int, str | None]] = {}
        self.waiting = Waiting(stream.port.clock)

    # -- what it is at ---------------------------------------------------------------------------

    @property
    def hub(self) -> Hub:
        """The server's state."""
        return self.stream.port.hub

    @property
    def settings(self) -> Settings:
        """What the operator has chosen."""
        return self.stream.port.settings

    @property
    def server(self) -> str:
        """The server's name, as a source."""
        return self.hub.chosen.server

    @property
    def nick(self) -> str:
        """As whom the client is addressed."""
        return self.session.name or "*"

    @property
    def now(self) -> int:
        """The time of day, in milliseconds since 1970."""
        return int(self.hub.wall() * 1000)

    @property
    def source(self) -> str:
        """As what it is shown to others."""
        return self.hub.people.source(self.session.name, self.now)

    def set_caps(self, caps: frozenset[str]) -> None:
        """The client has these capabilities from now on."""
        self.caps = caps
        self.format = self._wished_format()

    def _wished_format(self) -> IrcFormat:
        caps = self.caps
        tags = Tags.ALL if "message-tags" in caps else Tags.TIME if "server-time" in caps else Tags.NONE
        has_multiline = "draft/multiline" in caps and "batch" in caps
        return IrcFormat(tags, has_multiline, self.hub.people, self.hub.store.identity, self.server)

    # -- what the core shows ---------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether nothing would be taken now."""
        return self._wire.full or self.is_held

    def show(self, page: Page) -> bool:
        """Write events, if nothing waits to be written."""
        if self._wire.full or self.is_held:
            return False
        data = page.data
        if self._own or self.replays:
            data = self._personal(page)
        if data:
            self._wire.write(data)
        if self.arrivals is not None:
            self.arrivals.shown()
        if self.waiting.deferreds:
            # Not now: the cursor moves when this returns.
            self.waiting.wake_soon()
        return True

    def _personal(self, page: Page) -> bytes:
        """The page as this client alone is shown it."""
        room = page.events[0].room
        replay = self.replays.get(room)
        if replay is None:
            return self._own_page(page)
        data = replay.show(page)
        if page.seq >= replay.last:
            del self.replays[room]
            live = [event for event in page.events if event.seq > replay.last]
            if live:
                data += self._own_page(self.format.page(live, sys.maxsize))
        return data

    def _own_page(self, page: Page) -> bytes:
        """A page with the lines that this connection said as it wants to be shown them."""
        room = page.events[0].room
        said = self._own.get(room)
        if said is None:
            return page.data
        last = page.seq
        if len(said) == len(page.events) == 1 and last in said:
            # Most lines are said in a room where nobody talks at the same time.
            del self._own[room]
            return self.format.personal(page, said) if said[last] else b""
        mine = {seq: label for seq, label in said.items() if seq <= last}
        if not mine:
            return page.data
        for seq in mine:
            del said[seq]
        if not said:
            del self._own[room]
        return self.format.personal(page, mine)

    def show_presence(self, data: bytes) -> bool:
        """Write who came and went, if nothing waits to be written."""
        if self._wire.full:
            return False
        if data:
            self._wire.write(data)
        return True

    def show_private(self, sender: Named, text: str, at: int, kind: Kind, tags: str) -> bool:
        """Write a private line, if nothing waits to be written."""
        if self._wire.full:
            return False
        if text:
            data = self.private(self.hub.people.source(sender.name, at), self.nick, text, at, kind, tags)
        else:
            data = self.hint(self.hub.people.source(sender.name, at), self.nick, at, tags)
        self._wire.write(data)
        return True

    def private(self, source: str, target: str, text: str, at: int, kind: Kind, tags: str) -> bytes:
        """A private line as the client is shown it; its id is the first of its tags, as ``msgid=``."""
        id_, others = _id_of(tags)
        # Who speaks at another door has given it none.
        id_ = id_ or self.new_id()
        is_ctcp = kind is not Kind.ME and text[:1] == "\x01"
        return self.format.private(source, kind, target, text, at=at, id=id_, tags=others, is_ctcp=is_ctcp)

    def new_id(self) -> str:
        """An id of something that stands in no log."""
        run, _, number = self.hub.draft_id().partition("-")
        return f"{run}/-/{number}"

    def hint(self, source: str, target: str, at: int, tags: str) -> bytes:
        """Tags that somebody tells the client, as `private`; b"" if it does not want them."""
        if "message-tags" not in self.caps:
            return b""
        id_, others = _id_of(tags)
        return self.format.hint(source, target, at=at, id=id_, tags=others)

    def invited(self, by: str, room: str) -> None:
        """Somebody lets the person into a room."""
        self._tell(self.hub.people.source(by, self.now), "INVITE", self.nick, f"#{room}")

    def show_watched(self, here: Sequence[str], gone: Sequence[str], changed: Sequence[tuple[Seen, Seen]]) -> bool:
        """Tell how watched names are now, if nothing waits to be written."""
        if self._wire.full:
            return False
        # In a room that is shared it is told there.
        unseen = [pair for pair in changed if not self.session.shares_room(pair[1].name)]
        sources = {seen.name: self.hub.people.source(seen.name, self.now) for _, seen in unseen}
        sources |= {name: self.hub.people.source(name, self.now) for name in here}
        lines = [
            *watched(self.server, self.nick, ONLINE, [sources[name] for name in here]),
            *watched(self.server, self.nick, OFFLINE, gone),
            *changes(unseen, sources, self.caps, self.format.stamp(self.now)),
        ]
        self._wire.write(b"".join(lines))
        return True

    def removed(self, room: str, by: str, why: str) -> None:
        """Somebody has removed the person from a room."""
        self._forget(room)
        self._tell(self.hub.people.source(by, self.now), "KICK", f"#{room}", self.nick, why or by)

    def wallops(self, by: str, text: str) -> None:
        """An operator of the server tells something to all who want to hear it."""
        self._tell(self.hub.people.source(by, self.now), "WALLOPS", text)

    def killed(self, by: str, why: str) -> None:
        """An operator of the server has ended the session."""
        self.stream.channel.close(Farewell(text=f"Killed ({by} ({why}))"))

    def _tell(self, source: str, command: str, *params: str) -> None:
        self._wire.write(write(source, command, *params, tags=self.format.stamp(self.now)))

    def _forget(self, room: str) -> None:
        """The client is not in a room any more."""
        self.replays.pop(room, None)
        self._own.pop(room, None)
        self.waiting.wake_soon()

    def notify(self, text: str) -> None:
        """Show a sentence about the server."""
        self._tell(self.server, "NOTICE", self.nick, text)

    def log_lost(self, room: str) -> None:
        """Some of what was shown stands in the log no more."""
        self._tell(
            self.server, "NOTICE", f"#{room}", "The server has lost what was said last here: it is not in the log."
        )

    def caught_up(self, room: str) -> None:
        """A room has been shown to its end."""
        self.replays.pop(room, None)
        self.waiting.wake()
        self.stream.channel.check_finished_soon()

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        """Some of a room can't be read."""
        if passed_over:
            self.replays.pop(room, None)
            text = "Some of what was said here can't be read, and is left out."
        else:
            text = "What was said here can't be read now; it is shown when it can."
        self._tell(self.server, "NOTICE", f"#{room}", text)

    def evicted(self, code: str, text: str) -> None:
        """The name is somebody else's, or the session another connection's."""
        self.stream.channel.close(Farewell(code, text))

    def fault(self) -> None:
        """Showing failed; that is logged."""
        self.stream.channel.close(FAULT)

    # -- what became of lines --------------------------------------------------------------------

    def stored(self, tag: Any, stored: Stored) -> None:
        """A line of the client's stands in the log."""
        self.unanswered -= 1
        event = stored.event
        is_member = self.session.is_in(event.room)
        if "echo-message" in self.caps or event.kind is Kind.TOPIC:
            # A client draws its own lines, but no topic that it sets.
            if not is_member:
                self._wire.write(self.format.line(event, first=label_tag(tag.label)))
            elif tag.label:
                self._remember(event, tag.label)
        else:
            if is_member:
                self._remember(event, None)
            if tag.label:
                self._wire.write(write(self.server, "ACK", tags=label_tag(tag.label)))
        self._answered()

    def _remember(self, event: Event, label: str | None) -> None:
        """A line of the client's is to be shown to it in another way than to all."""
        said = self._own.setdefault(event.room, {})
        if len(said) >= MAX_OWN:
            # It is shown as anybody's.
            del said[next(iter(said))]
        said[event.seq] = label

    def refused(self, tag: Any, error: ChatError) -> None:
        """A line of the client's could not be stored."""
        self.unanswered -= 1
        label = label_tag(tag.label)
        if "standard-replies" in self.caps:
            line = write(self.server, "FAIL", tag.command, "NOT_STORED", tag.target, error.text, tags=label)
        else:
            line = write(self.server, "404", self.nick, tag.target, error.text, tags=label)
        self._wire.write(line)
        self._answered()

    def _answered(self) -> None:
        if not self.unanswered:
            # Not now: the others are shown it first.
            self.waiting.wake_soon()
            self.stream.channel.check_finished_soon()

    # -- the connection --------------------------------------------------------------------------

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        return self.session.has_seen_all

    def drained(self) -> None:
        """Go on where the wire was full."""
        self.session.show_all()
        self.hub.people.watching.drained(self)
        self.waiting.wake()

    def farewell(self, farewell: Farewell) -> None:
        """Say why the server closes the connection."""
        # A sentence of the server's, or what somebody has given as the reason.
        text = farewell.text.removesuffix(" Goodbye.").removesuffix(".") if farewell.code else farewell.text
        self._wire.write(write("", "ERROR", f"Closing link: {text}"))


def _id_of(tags: str) -> tuple[str, str]:
    """The id of a private line, which is the first of its tags, and the others."""
    id_, _, others = tags.removeprefix("msgid=").partition(";") if tags.startswith("msgid=") else ("", "", tags)
    return id_, others
