"""Who reads a room, how far each has come (its cursor), and the broadcast of new events to those right before them.

Knows members, their cursors and the `Outlet` of each. Must not know where events come from, nor how
bytes reach anybody.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Format, Page, Signal

__all__ = ["GONE", "SMALL_ROOM", "Audience", "Member", "Outlet"]

GONE = -1
"""Cursor of a member to whom nothing of the room is shown. Source: no seq is negative."""

SMALL_ROOM = 50
"""Most members of a small room: they are told by name who comes and goes, and shown a batch in one turn.

Source: docs/protocol.md, "Events"; 50 sends are about 0.4 ms.
"""

_STRETCH = 64
"""Members who are shown a page before the fan-out looks at the clock. Source: 64 sends are about 0.5 ms."""


class Outlet(Protocol):
    """A reader's side of the core: what it needs of a connection.

    None of these may raise. An outlet that does not take a page forgets it: the member's cursor stays, and
    when the outlet has room again it asks its session for the rest (`session.Session.show_all`).
    """

    @property
    def full(self) -> bool:
        """Whether nothing would be taken now."""
        ...

    def show(self, page: Page) -> bool:
        """Write a page now, if nothing waits to be written; say whether it was taken."""
        ...

    def show_presence(self, data: bytes) -> bool:
        """The same, for who came and went, as the member's format renders it."""
        ...

    def caught_up(self, room: str) -> None:
        """A room in which the member was behind has now been shown to its end."""
        ...

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        """What the member has not seen can't be read from the log: now, or (passed over) ever; then it is left out."""
        ...

    def log_lost(self, room: str) -> None:
        """The log of a room has lost some of what was shown."""
        ...

    def fault(self) -> None:
        """This outlet raised, which was logged: it is shown nothing more, and closes its connection."""
        ...


class Member:
    """One person in one room.

    Attributes:
        name: The name, as it is now.
        outlet: Where to show what happens; None while the connection is lost.
        format: How it is shown.
        cursor: The seq of the last event shown, or `GONE`.
        is_fetching: Whether a page for it is being read from the store.
        known_names: The names that the member believes to be here; None if it was not told.
        known_version: The version of the presence that it was told last.
        number: In the order of entering the room.
    """

    __slots__ = ("cursor", "format", "is_fetching", "known_names", "known_version", "name", "number", "outlet")

    def __init__(self, name: str, outlet: Outlet | None, format: Format, cursor: int = GONE) -> None:  # noqa: A002  the word is right here
        self.name = name
        self.outlet = outlet
        self.format = format
        self.cursor = cursor
        self.is_fetching = False
        self.known_names: frozenset[str] | None = None
        self.known_version = 0
        self.number = 0


class Audience:
    """The members of a room, by the format in which they are shown it.

    Args:
        report: Called with a member whose outlet raised, while the exception is being handled.

    Attributes:
        count: How many members there are.
    """

    __slots__ = ("_entered", "_groups", "_report", "count")

    def __init__(self, report: Callable[[Member], None]) -> None:
        self._groups: dict[Format, dict[Member, None]] = {}
        self._report = report
        self._entered = 0
        self.count = 0

    @property
    def members(self) -> Iterator[Member]:
        """Everybody, in no particular order."""
        return itertools.chain.from_iterable(self._groups.values())

    def add(self, member: Member) -> None:
        """Let somebody in."""
        self._groups.setdefault(member.format, {})[member] = None
        self._entered += 1
        member.number = self._entered
        self.count += 1

    def remove(self, member: Member) -> None:
        """Let somebody out; nothing is shown to it any more."""
        self._drop(member)
        self.count -= 1
        member.cursor = GONE
        member.outlet = None

    def longest_here(self) -> Member | None:
        """Whoever entered first of those that are here; whose connection is lost only if there is nobody else."""
        return min(self.members, key=lambda member: (member.outlet is None, member.number), default=None)

    def reformat(self, member: Member, new: Format) -> None:
        """From now on show the room to this member in another format.

        A batch that is being shown goes by format and may have passed it over: bring it forward afterwards.
        """
        if new != member.format:
            self._drop(member)
            member.format = new
            self._groups.setdefault(new, {})[member] = None

    def _drop(self, member: Member) -> None:
        group = self._groups[member.format]
        del group[member]
        if not group:
            del self._groups[member.format]

    def deal(self, events: Sequence[Event]) -> Iterator[None]:
        """Show events to everybody who has seen all before them, a stretch of members at a time.

        Whoever has not, or takes no more, is left where it is: its cursor tells. Between two
        stretches members may come, go, and be brought forward.
        """
        for format_, group in list(self._groups.items()):
            for page in _pages(format_, events):
                members = iter(list(group))
                while stretch := list(itertools.islice(members, _STRETCH)):
                    self._show(stretch, page)
                    yield

    def deal_now(self, events: Sequence[Event]) -> None:
        """The same, at once: for a small room."""
        for format_, group in list(self._groups.items()):
            page = format_.page(events)
            self._show(list(group), page)
            if len(page.events) < len(events):
                for more in _pages(format_, events[len(page.events) :]):
                    self._show(list(group), more)

    def _show(self, members: Iterable[Member], page: Page) -> None:
        before, last = page.events[0].seq - 1, page.events[-1].seq
        for member in members:
            if member.cursor == before and (outlet := member.outlet) is not None:
                try:
                    if outlet.show(page):
                        member.cursor = last
                except Exception:
                    self._broken(member)

    def show(self, member: Member, page: Page) -> bool:
        """Show one member a page that begins after its cursor; whether its outlet took it."""
        taken = False
        if member.outlet is not None:
            try:
                taken = member.outlet.show(page)
            except Exception:
                self._broken(member)
            else:
                if taken:
                    member.cursor = page.seq
        return taken

    def show_presence(self, member: Member, data: bytes) -> bool:
        """Show one member who came and went; whether its outlet took it."""
        if member.outlet is None:
            return False
        try:
            return member.outlet.show_presence(data)
        except Exception:
            self._broken(member)
            return False

    def flash(self, signal: Signal, apart: Member | None) -> Iterator[None]:
        """Show what a program tells the others to all but one whose format has it, a stretch of members at a time.

        Whoever takes nothing at the moment is not shown it.
        """
        for format_, group in list(self._groups.items()):
            data = format_.signal(signal)
            members = iter(list(group) if data else ())
            while stretch := list(itertools.islice(members, _STRETCH)):
                for member in stretch:
                    if member is not apart and member.cursor != GONE:
                        self.show_presence(member, data)
                yield

    def caught_up(self, member: Member, room: str) -> None:
        """Tell one member's outlet that it has been shown everything."""
        self._tell(member, lambda outlet: outlet.caught_up(room))

    def unreadable(self, member: Member, room: str, *, passed_over: bool) -> None:
        """Tell one member's outlet that what it has not seen can't be read."""
        self._tell(member, lambda outlet: outlet.unreadable(room, passed_over=passed_over))

    def log_lost(self, room: str, head: int) -> None:
        """Set everybody behind this seq, and tell them that the log has lost what they were shown."""
        for member in list(self.members):
            if member.cursor != GONE:
                member.cursor = head
                self._tell(member, lambda outlet: outlet.log_lost(room))

    def _tell(self, member: Member, tell: Callable[[Outlet], None]) -> None:
        if member.outlet is not None:
            try:
                tell(member.outlet)
            except Exception:
                self._broken(member)

    def _broken(self, member: Member) -> None:
        """Isolate a reader whose outlet raised: it is closed, and the others are shown the page all the same."""
        outlet, member.outlet = member.outlet, None
        member.cursor = GONE
        self._report(member)
        if outlet is not None:
            try:
                outlet.fault()
            except Exception:
                self._report(member)


def _pages(format_: Format, events: Sequence[Event]) -> Iterator[Page]:
    """The events in pages, rendered one at a time; nearly always there is only one."""
    while events:
        page = format_.page(events)
        yield page
        events = events[len(page.events) :]
