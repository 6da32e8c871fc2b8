"""Who reads a room, how far each has come (its cursor), and the broadcast of new events to those right before them.

Knows members, their cursors and the `Outlet` of each. Must not know where events come from, nor how
bytes reach anybody.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Format, Page, Signal
    from twistedchat.rooms.steps import Run

__all__ = ["GONE", "SMALL_ROOM", "Audience", "Member", "Outlet", "StepOutlet"]

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


class StepOutlet(Outlet, Protocol):
    """An outlet whose formats are told of presence step by step (`formats.base.Format.in_steps`)."""

    def show_steps(self, room: str, run: Run, known: Sequence[int]) -> bool:
        """Write who came, went and changed, if nothing waits to be written; say whether it was taken.

        Args:
            room: Where.
            run: What happened; the same object for all who are told the same.
            known: The indices of the steps that are not told to this one.
        """
        ...

    def show_anew(self, room: str) -> bool:
        """The same, when what happened is no longer known: show that it is in the room, and all who are."""
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
        known_version: The version of the presence that it was told last; the number of a step for one told in steps.
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
        in_steps: How many of them are told in steps who comes and goes.
    """

    __slots__ = ("_entered", "_groups", "_report", "count", "in_steps")

    def __init__(self, report: Callable[[Member], None]) -> None:
        self._groups: dict[Format, dict[Member, None]] = {}
        self._report = report
        self._entered = 0
        self.count = self.in_steps = 0

    @property
    def members(self) -> Iterator[Member]:
        """Everybody, in no particular order."""
        return itertools.chain.from_iterable(self._groups.values())

    @property
    def gathered(self) -> list[Member]:
        """Those who are told together who came and went."""
        return self._told(in_steps=False)

    @property
    def stepwise(self) -> list[Member]:
        """Those who are told it in steps."""
        return self._told(in_steps=True)

    def _told(self, *, in_steps: bool) -> list[Member]:
        return [member for format_, group in self._groups.items() if format_.in_steps is in_steps for member in group]

    def add(self, member: Member) -> None:
        """Let somebody in."""
        self._put(member)
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
            self._put(member)

    def _put(self, member: Member) -> None:
        self._groups.setdefault(member.format, {})[member] = None
        self.in_steps += member.format.in_steps

    def _drop(self, member: Member) -> None:
        self.in_steps -= member.format.in_steps
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

    def show_steps(self, member: Member, room: str, run: Run) -> bool:
        """Show one member what happened, but for what it did itself; whether its outlet took it."""
        known = run.of(member.name)
        if len(known) == len(run.steps):
            return True
        return self._show_in_steps(member, lambda outlet: outlet.show_steps(room, run, known))

    def show_anew(self, member: Member, room: str) -> bool:
        """Show one member everybody who is here; whether its outlet took it."""
        return self._show_in_steps(member, lambda outlet: outlet.show_anew(room))

    def _show_in_steps(self, member: Member, show: Callable[[StepOutlet], bool]) -> bool:
        if member.outlet is None:
            return False
        try:
            return show(cast("StepOutlet", member.outlet))
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
