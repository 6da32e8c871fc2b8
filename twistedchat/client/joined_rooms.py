"""The rooms that a client is in: a cursor on each room's log, over any number of connections.

Knows what the server answers to a join, and which events are new. Must not know a socket, a clock or
a screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.client.notifications import JoinAccepted, JoinedRoom, JoinMerged, JoinRefused, LogReset
from twistedchat.client.requests import expect_refusal
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.names import likenesses

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from twistedchat.client.messages import Answer
    from twistedchat.client.notifications import Listener
    from twistedchat.client.requests import Requests
    from twistedchat.formats.base import Change

__all__ = ["END", "JoinedRooms"]

END = 2**53
"""Cursor behind every event: joining after this seq shows nothing of what was said before.

Source: docs/protocol.md, ``join``; the greatest whole number that every JSON parser reads as it is (RFC 8259, 6).
"""

HISTORY_EVENTS = 20
"""Number of events that a server shows on joining. Source: docs/protocol.md, ``join``."""

RETRY_SECONDS = 2.0
"""Delay before a room is entered again that could not be read, in seconds. Source: chosen; a server reads a failed page
again after 1 s."""

_PASSING = {"not-readable", "not-ready"}
"""Codes with which a join is refused for the time being. Source: docs/protocol.md, codes of errors."""


class JoinedRooms:
    """Every event of each room is told to the listener once, in order.

    Attributes:
        by_name: The rooms that we are in, or want to be in, in the order joined.
        server_log: The identity of the server's log, if it gives one.
    """

    def __init__(self, requests: Requests, notify: Listener) -> None:
        self.by_name: dict[str, JoinedRoom] = {}
        self.server_log: str | None = None
        self._requests = requests
        self._notify = notify
        self._left: list[str] = []
        self._held = False

    # -- entering and leaving --------------------------------------------------------------------

    def find(self, name: str) -> JoinedRoom | None:
        """The room of this name, with or without ``#``, in any case."""
        name = name.removeprefix("#")
        if name in self.by_name:
            return self.by_name[name]
        # The first likeness alone: by the second one the server may mean another room, which we are not in.
        key = likenesses(name)[0]
        return next((room for room in self.by_name.values() if likenesses(room.name)[0] == key), None)

    def join(self, name: str, after: int | None = None, key: str = "") -> JoinedRoom:
        """Enter a room now, or with the next connection; `Conversation.join` has the details."""
        room = self.find(name)
        if room is None:
            room = JoinedRoom(name.removeprefix("#"))
            self.by_name[room.name] = room
        elif after is None:
            return room
        room.after = after
        room.key = key or room.key
        if self._requests.ready:
            self._enter(room)
        return room

    def leave(self, room: JoinedRoom) -> None:
        """Leave a room."""
        del self.by_name[room.name]
        if self._requests.ready:
            self._requests.ask("leave", room=room.name).addErrback(expect_refusal)
        else:
            self._left.append(room.name)

    def removed(self, name: str) -> None:
        """The server has us in this room no more."""
        self.by_name.pop(name, None)

    def enter_all(self, *, resumed: bool) -> None:
        """Go on in every room, over a new connection."""
        left, self._left = self._left, []
        for name in left if resumed else ():
            self._requests.ask("leave", room=name).addErrback(expect_refusal)
        for room in list(self.by_name.values()):
            self._enter(room)

    def _enter(self, room: JoinedRoom) -> None:
        room.entering = True
        room.joins += 1
        after = room.after
        if after is None and room.last is not None:
            # The connection was lost before the first event came.
            after = max(0, room.last - HISTORY_EVENTS)
        fields: dict[str, object] = {} if after is None else {"after": after}
        if room.key:
            fields["key"] = room.key
        answer = self._requests.ask("join", room=room.name, **fields)
        place = (room, room.joins)
        answer.addCallbacks(self._entered, self._refused, callbackArgs=place, errbackArgs=place)

    def _is_current(self, room: JoinedRoom, join: int) -> bool:
        """Whether an answer is to the last join of a room that we still want to be in."""
        return self.by_name.get(room.name) is room and room.joins == join

    def _entered(self, answer: Answer, room: JoinedRoom, join: int) -> None:
        if not self._is_current(room, join):
            return
        fields = answer.fields
        known = self.by_name.get(str(fields["room"]))
        if known is not None and known is not room:
            self._merge(room, known)
            return
        self._spell(room, str(fields["room"]))
        room.entering = False
        room.last = int(fields["seq"])
        room.topic = str(fields["topic"])
        room.members = set(fields["members"])
        room.count = int(fields.get("count", len(room.members)))
        self._check_log(room, room.last, fields.get("log", self.server_log))
        if room.after == END:
            room.after = room.last
        self._notify(JoinAccepted(room))

    def _spell(self, room: JoinedRoom, name: str) -> None:
        """Give a room its name as the server has it, in its place."""
        if name != room.name:
            rooms = [(name if other is room else key, other) for key, other in self.by_name.items()]
            self.by_name.clear()
            self.by_name.update(rooms)
            room.name = name

    def _merge(self, asked: JoinedRoom, known: JoinedRoom) -> None:
        """Two spellings of one room: the join has set the server's cursor anew, so set it where we are."""
        del self.by_name[asked.name]
        asked.name, asked.entering = known.name, False
        if asked.after is not None:
            known.after = asked.after
        self._enter(known)
        self._notify(JoinMerged(asked, known))

    def _check_log(self, room: JoinedRoom, last: int, log: str | None) -> None:
        """See whether the log is the one that our cursor is on; if not, go to its end, and say so."""
        is_other = None not in (room.log, log) and log != room.log
        room.log = log
        after = room.after
        if after is None or after == END or not (is_other or last < after):
            return
        room.after = last
        room.stored = 0
        self._notify(LogReset(room, after, is_other))

    def _refused(self, failure: Failure, room: JoinedRoom, join: int) -> None:
        error = failure.value
        if isinstance(error, ChatError) and self._requests.ready and self._is_current(room, join):
            if error.code in _PASSING and room.last is not None:
                # We are in it, and go on where we were.
                self._requests.call_later(RETRY_SECONDS, lambda: self._enter_again(room, join))
                return
            del self.by_name[room.name]
            self._notify(JoinRefused(room, error))

    def _enter_again(self, room: JoinedRoom, join: int) -> None:
        if self._is_current(room, join):
            self._enter(room)

    # -- events and presence ---------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Take an event, and tell it if it is the next."""
        room = self.by_name.get(event.room)
        if room is None or room.entering or (room.after is not None and event.seq <= room.after):
            return
        if self._held:
            room.entering = True
            return
        room.after = event.seq
        if event.kind is Kind.TOPIC:
            room.topic = event.text
        self._notify(event)

    def change(self, change: Change) -> None:
        """Take note of who came and went."""
        room = self.by_name.get(change.room)
        if room is not None:
            room.members.update(change.joined, (new for _, new in change.renamed))
            room.members.difference_update({name for name, _ in change.left}, {old for old, _ in change.renamed})
            room.count = change.count

    def renamed(self, old: str, new: str) -> None:
        """We have another name; the server tells only others."""
        for room in self.by_name.values():
            if old in room.members:
                room.members.remove(old)
                room.members.add(new)

    # -- backpressure ----------------------------------------------------------------------------

    def hold(self) -> None:
        """Drop events from now on; `go_on` asks for them again."""
        self._held = True

    def go_on(self) -> None:
        """Go on where events were dropped."""
        self._held = False
        if self._requests.ready:
            for room in list(self.by_name.values()):
                if room.entering:
                    self._enter(room)
