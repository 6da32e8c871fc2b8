"""A room is a log; a member is a cursor on it.

Knows its newest events, who is in it, and how far each has been shown. Must not know where events
come from, nor how bytes reach anybody: it hands pages to an `Outlet`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from twistedchat.events import Kind
from twistedchat.formats.base import Change
from twistedchat.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Format, Page

__all__ = ["GONE", "PAGE_EVENTS", "PRESENCE_LIMIT", "RECENT_BYTES", "Member", "Outlet", "Room"]

PAGE_EVENTS = 500
"""The most events in one page. Source: docs/protocol.md, ``history``."""

PRESENCE_LIMIT = 50
"""In a room with more members, coming and going is not told by name. Source: docs/protocol.md, "Events"."""

GONE = -1
"""The cursor of a member to whom nothing of the room is sent."""

RECENT_BYTES = 2**20
"""The newest events of one room take at most so much memory; the pipeline gives less where there are many rooms."""

_STRETCH = 64
"""So many members are written to before the fan-out looks at the clock. Source: 64 sends are about 0.5 ms."""


class Outlet(Protocol):
    """What the core needs of a connection.

    An outlet that does not take a page forgets it: the member's cursor stays, and the session
    brings it forward when the outlet has room again.
    """

    @property
    def full(self) -> bool:
        """Whether nothing would be taken now."""
        ...

    def show(self, page: Page) -> bool:
        """Write a page now, if nothing waits to be written; say whether it was taken."""
        ...

    def show_presence(self, data: bytes) -> bool:
        """The same, for who came and went."""
        ...

    def caught_up(self, room: Room) -> None:
        """A room in which the member was behind has now been shown to its end."""
        ...


class Member:
    """One person in one room.

    Attributes:
        name: The name, as it is now.
        outlet: Where to show what happens; None while the connection is lost.
        format: How it is shown.
        cursor: The seq of the last event shown, or `GONE`.
        told: The names that the member believes to be here; None if it has not been told.
    """

    __slots__ = ("cursor", "fetching", "format", "name", "outlet", "told")

    def __init__(self, name: str, outlet: Outlet | None, format: Format, cursor: int) -> None:  # noqa: A002  the word is right here
        self.name = name
        self.outlet = outlet
        self.format = format
        self.cursor = cursor
        self.told: frozenset[str] | None = None
        self.fetching = False


class Room:
    """The newest part of a log, and its audience.

    Args:
        name: Without ``#``, in the spelling that everybody is shown.
        seq: The last event's.
        topic: The text of the last topic event, or "".
    """

    __slots__ = (
        "_audience",
        "_farewells",
        "_names",
        "_names_stale",
        "_pages",
        "_renamed",
        "_rosters",
        "fanning",
        "name",
        "not_before",
        "recent",
        "seq",
        "topic",
    )

    def __init__(self, name: str, seq: int = 0, topic: str = "") -> None:
        self.name = name
        self.seq = seq
        self.topic = topic
        self.recent = Recent(RECENT_BYTES)
        # The pipeline's notes: whether a batch of this room is under way, and the time before which the next waits.
        self.fanning = False
        self.not_before = 0.0
        self._audience: dict[Format, dict[Member, None]] = {}
        self._names: Sequence[str] | None = None
        self._names_stale = False
        self._rosters: dict[Callable[[Sequence[str]], bytes], bytes] = {}
        self._pages: dict[tuple[Format, int, int], Page] = {}
        self._renamed: list[tuple[str, str]] = []
        self._farewells: dict[str, str] = {}

    # -- who is here ---------------------------------------------------------------------------

    @property
    def members(self) -> Iterator[Member]:
        """Everybody who is here, in no particular order."""
        return itertools.chain.from_iterable(self._audience.values())

    @property
    def count(self) -> int:
        """How many are here."""
        return sum(map(len, self._audience.values()))

    @property
    def names(self) -> Sequence[str]:
        """The names of everybody who is here, sorted."""
        if self._names is None or self._names_stale:
            self._names = sorted(member.name for member in self.members)
            self._names_stale = False
            self._rosters.clear()
        return self._names

    def roster(self, render: Callable[[Sequence[str]], bytes]) -> bytes:
        """The names to show to somebody who comes in: `names`, but in a large room those of a moment ago.

        Otherwise 9,000 people who come in at once would have 9,000 lists sorted and rendered for them.

        Args:
            render: Makes of the names what is shown; called once for a list.
        """
        if self._names is None or len(self._names) <= PRESENCE_LIMIT or render not in self._rosters:
            self._rosters[render] = render(self.names)
        return self._rosters[render]

    def add(self, member: Member) -> None:
        """Let somebody in. The others learn of it at the next `tell_presence`."""
        self._names_stale = True
        self._audience.setdefault(member.format, {})[member] = None
        self.introduce(member)

    def introduce(self, member: Member) -> None:
        """Take it that the member knows who is here now."""
        member.told = frozenset(self.names) if self.count <= PRESENCE_LIMIT else None

    def remove(self, member: Member, why: str = "") -> None:
        """Let somebody out, with a parting word."""
        self._drop(member)
        self._names_stale = True
        member.cursor = GONE
        if why:
            self._farewells[member.name] = why

    def reformat(self, member: Member, new: Format) -> None:
        """From now on show the room to this member in another format."""
        self._drop(member)
        member.format = new
        self._audience.setdefault(new, {})[member] = None

    def _drop(self, member: Member) -> None:
        group = self._audience[member.format]
        del group[member]
        if not group:
            del self._audience[member.format]

    def rename(self, member: Member, new: str) -> None:
        """Give a member another name."""
        self._names_stale = True
        self._renamed.append((member.name, new))
        if member.told is not None:
            # Whoever takes a name need not be told of it.
            member.told = member.told - {member.name} | {new}
        member.name = new

    # -- what is said --------------------------------------------------------------------------

    def extend(self, events: Sequence[Event]) -> None:
        """Take in events that the store has stored; `deal` then shows them.

        Args:
            events: At least one; the first has the seq after the room's last.
        """
        self.seq = events[-1].seq
        self._pages.clear()
        if self._audience:
            self.recent.extend(events)
        for event in events:
            if event.kind is Kind.TOPIC:
                self.topic = event.text

    def deal(self, events: Sequence[Event]) -> Iterator[None]:
        """Show events to everybody who has seen all before them, a stretch of members at a time.

        Whoever has not, or takes no more, is left where it is: its cursor tells. Between two
        stretches members may come, go, and be brought forward.
        """
        after, upto = events[0].seq - 1, events[-1].seq
        for format_, group in list(self._audience.items()):
            page = format_.page(events)
            members = list(group)
            for start in range(0, len(members), _STRETCH):
                for member in members[start : start + _STRETCH]:
                    if member.cursor == after and member.outlet is not None and member.outlet.show(page):
                        member.cursor = upto
                yield

    def bring_forward(self, member: Member) -> bool:
        """Show a member what it has not seen, as far as memory reaches and the outlet takes it.

        Returns:
            False if the member waits for events that are only in the store.
        """
        while GONE < member.cursor < self.seq and member.outlet is not None and not member.outlet.full:
            events = self.recent.after(member.cursor, PAGE_EVENTS)
            if events is None:
                return False
            self.show(member, events)
        return True

    def show(self, member: Member, events: Sequence[Event]) -> bool:
        """Show a member the events after its cursor, if its outlet takes them."""
        taken = member.outlet is not None and member.outlet.show(self.page(member.format, events))
        if taken:
            member.cursor = events[-1].seq
        return taken

    def page(self, format_: Format, events: Sequence[Event]) -> Page:
        """Events in a format, rendered once as long as nothing new is said."""
        key = (format_, events[0].seq, events[-1].seq)
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = format_.page(events)
        return page

    # -- who came and went ---------------------------------------------------------------------

    def tell_presence(self) -> Iterator[None]:
        """Tell everybody who came and went since they were last told, a stretch of members at a time."""
        self._names = None
        renamed, self._renamed = self._renamed, []
        farewells, self._farewells = self._farewells, {}
        now = frozenset(member.name for member in self.members) if self.count <= PRESENCE_LIMIT else None
        rendered: dict[tuple[Format, frozenset[str] | None], bytes] = {}
        members = list(self.members)
        for start in range(0, len(members), _STRETCH):
            for member in members[start : start + _STRETCH]:
                if member.outlet is None or (now is not None and member.told == now):
                    continue
                key = (member.format, member.told)
                if key not in rendered:
                    change = self._change(member.told, now, renamed, farewells)
                    rendered[key] = member.format.presence(change)
                if member.outlet.show_presence(rendered[key]):
                    member.told = now
            yield

    def _change(
        self,
        then: frozenset[str] | None,
        now: frozenset[str] | None,
        renamed: Sequence[tuple[str, str]],
        farewells: dict[str, str],
    ) -> Change:
        """What a member who knows ``then`` is to be told; names are left out where either is unknown."""
        if then is None or now is None:
            return Change(self.name, (), (), (), self.count)
        pairs = _journeys(then, now, renamed)
        joined = sorted(now - then - {new for _, new in pairs})
        left = sorted(then - now - {old for old, _ in pairs})
        return Change(self.name, joined, [(name, farewells.get(name, "")) for name in left], pairs, self.count)


def _journeys(
    then: frozenset[str], now: frozenset[str], renamed: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    """Renames from a name that was known to one that is here: ann → bea → cat is one from ann to cat."""
    goes: dict[str, str] = {}
    for old, new in renamed:
        start = next((first for first, last in goes.items() if last == old), old)
        goes[start] = new
    return [(old, new) for old, new in goes.items() if old in then - now and new in now - then]
