"""A room: the newest part of its log, its readers, and who is in it.

Knows its `tail`, `audience` and `presence`, and puts them together. Must not know where events come from,
who speaks, or how bytes reach anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.events import Kind
from twistedchat.rooms.audience import Audience
from twistedchat.rooms.charter import Charter
from twistedchat.rooms.presence import Presence
from twistedchat.rooms.tail import Tail
from twistedchat.rules import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Event
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.tail import Budget
    from twistedchat.stores.base import RoomSummary
    from twistedchat.writer import Queue

__all__ = ["Room"]


class Room:
    """A room that somebody on this node is in, or that something is being said in.

    Args:
        summary: The room as the store knows it.
        queue: The writer's, for what is said here.
        budget: Shared by the tails of all rooms.
        report: Called with a member whose outlet raised, while the exception is being handled.

    Attributes:
        name: Without ``#``, in the spelling that everybody is shown.
        seq: Of the last event that was taken in; the members are shown everything up to it.
        seq_at: Of the same event, in milliseconds since 1970; 0 if there is none.
        floor: Up to this seq the log is put away.
        head: Of the last event that is known to stand in the log, at least ``seq``.
        queue: What is said here and not yet stored.
        tail: The newest events.
        audience: The readers.
        presence: Who is here.
        place: What the rules are told of it when a member asks; its ranks and rules among that.
        entering: How many are about to enter, and wait for something.
    """

    __slots__ = (
        "_topic",
        "audience",
        "entering",
        "floor",
        "head",
        "name",
        "place",
        "presence",
        "queue",
        "seq",
        "seq_at",
        "tail",
    )

    def __init__(self, summary: RoomSummary, queue: Queue, budget: Budget, report: Callable[[Member], None]) -> None:
        self.name = summary.name
        self.seq = self.head = summary.seq
        self.seq_at = summary.at
        self.floor = summary.hidden
        self._topic = summary.topic, summary.topic_seq
        self.queue = queue
        self.tail = Tail(budget)
        self.audience = Audience(report)
        self.presence = Presence(summary.name, self.audience)
        self.entering = 0
        self.place = _free_place(summary.name, Charter())

    @property
    def topic(self) -> str:
        """The text of the last topic event, or ""."""
        return self._topic[0]

    @property
    def topic_seq(self) -> int:
        """The seq of that event, or 0."""
        return self._topic[1]

    @property
    def is_idle(self) -> bool:
        """Whether nobody is here and nothing is on its way: the room may be forgotten."""
        return not self.audience.count and not self.entering and self.queue.is_idle

    @property
    def charter(self) -> Charter:
        """Its ranks and rules."""
        return self.place.charter

    def forget_rules(self) -> None:
        """All ranks and rules end: they are those of a new room."""
        self.place = _free_place(self.name, Charter())

    def rules_changed(self) -> None:
        """There are other rules than before: the next who asks is judged by them."""
        self.place = _free_place(self.name, self.charter)

    def place_of(self, name: str, *, is_member: bool, key: str = "") -> Place:
        """What the rules are told when somebody asks who may not be a member.

        Args:
            name: Of the room, as it was asked for.
            is_member: Whether that person is in it.
            key: What the person gives as its key.
        """
        return Place(name, is_member, charter=self.charter, people=self.presence.count, key=key)

    def extend(self, events: Sequence[Event]) -> None:
        """Take in events that the store holds; they are then to be shown.

        Args:
            events: At least one, all behind ``seq``. The first follows on it, unless the log has lost
                what stood between them.
        """
        last = events[-1]
        self.seq = seq = last.seq
        self.seq_at = last.at
        self.head = max(self.head, seq)
        if self.audience.count:
            self.tail.extend(events)
        for event in events:
            if event.kind is Kind.TOPIC:
                self._topic = event.text, event.seq

    def cut(self, head: int, at: int) -> None:
        """The log ends, or goes on otherwise, before what was shown: everybody goes on behind this event."""
        self.seq = self.head = head
        self.seq_at = at
        self.tail.clear()
        self.audience.log_lost(self.name, head)


def _free_place(name: str, charter: Charter) -> Place:
    """What the rules are told when a member asks."""
    return Place(name, is_member=True, charter=charter, is_free=not charter.binds_speakers)
