"""Everything that is shared, wired together: the rooms, the people, the one way of a line.

Only sessions reach in here. Must not know any door, nor how anything is shown.
"""

from __future__ import annotations

import secrets
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from twisted.logger import Logger

from twistedchat.feed import Feed
from twistedchat.formats.base import Signal
from twistedchat.names import SERVER_NAME
from twistedchat.people.local import LocalPeople
from twistedchat.profiles import source
from twistedchat.reading import LogReader
from twistedchat.rooms import rulings
from twistedchat.rooms.announce import Announcer
from twistedchat.rooms.catchup import CatchUp
from twistedchat.rooms.live import LiveRooms
from twistedchat.rooms.room import Room
from twistedchat.rooms.signals import Signals
from twistedchat.rooms.steps import Step, StepKind
from twistedchat.rooms.tail import Budget
from twistedchat.turns import Turns
from twistedchat.writer import Queue, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.errors import ChatError
    from twistedchat.operators import OperatorsFile
    from twistedchat.people.base import People
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing
    from twistedchat.rooms.audience import Member
    from twistedchat.stores.base import Store

__all__ = ["CLOSE_SECONDS", "Hub"]

CLOSE_SECONDS = 10.0
"""Time limit for storing what was accepted when the server stops, in seconds.

Source: a store whose outcome stays unknown would hold the stop for ever; systemd kills after 90 s.
"""


class Chosen(NamedTuple):
    """What the operator has chosen for all who are here.

    Attributes:
        history: How many events somebody who enters a room is shown, at least 0.
        server: The name of the server; it is nobody's.
        operators: Knows the passwords of operators of the server; None if nobody can become one.
    """

    history: int
    server: str
    operators: OperatorsFile | None


class Hub:
    """The state of the server.

    Args:
        store: Where the logs are.
        clock: For delays and pacing: monotonic.
        wall: The time of day, in seconds since 1970.
        history: How many events somebody who enters a room is shown, at least 0.
        people: The register of persons; that of a single node unless given.
        budget: What the newest events and pages of all rooms may take; the usual one unless given.
        server: As `Chosen`.
        operators: As `Chosen`.

    Attributes:
        store: Where the logs are.
        wall: As above.
        people: As above.
        writer: Takes what is said.
        rooms: Those that somebody is in.
        announcer: Tells who came and went.
        signals: Shows what programs tell each other.
        chosen: What the operator has chosen.
        catch_up: Shows members what they have not seen.
        turns: Where long work takes its turns.
    """

    __slots__ = (
        "_feed",
        "_ids",
        "announcer",
        "catch_up",
        "chosen",
        "people",
        "rooms",
        "signals",
        "store",
        "turns",
        "wall",
        "writer",
    )

    def __init__(
        self,
        store: Store,
        clock: IReactorTime,
        *,
        wall: Callable[[], float],
        history: int = 20,
        people: People | None = None,
        budget: Budget | None = None,
        server: str = SERVER_NAME,
        operators: OperatorsFile | None = None,
    ) -> None:
        self.turns = turns = Turns(clock)
        self.store = store
        self.wall = wall
        self.people = people or LocalPeople(clock)
        self.writer = Writer(store, clock)
        self.chosen = Chosen(history, server, operators)
        reader = LogReader(store)
        budget = budget or Budget()
        prepare = None if people is None else self._look_around
        self.rooms = LiveRooms(store, lambda summary: Room(summary, Queue(summary.name), budget, _report), prepare)
        self.announcer = Announcer(clock, turns)
        self.signals = Signals(self.announcer.spend, turns)
        self.catch_up = CatchUp(reader, clock, turns)
        self._feed = Feed(
            self.rooms, self.writer, reader, self.catch_up, turns, self.announcer, clock, self.forget_if_idle
        )
        # Unlike those of any other run, on any node.
        run = secrets.token_hex(8)
        self._ids = (f"{run}-{number:x}" for number in count(1))

    async def open(self) -> None:
        """Open the store; then lines are taken.

        Raises:
            StoreError: The store can't be used.
        """
        self.store.follow(self._feed.heard)
        await self.store.open()
        await self.people.open(self)
        self.writer.open(self._feed)

    async def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Store and show what was accepted, then close the store. Nothing may be submitted any more.

        Args:
            seconds: Time limit for that.

        Returns:
            Whether everything was stored or refused in time.
        """
        in_time = await self.writer.settle(seconds)
        self.people.stop()
        self.announcer.close()
        await self.people.close()
        await self.store.close()
        return in_time

    # -- what other nodes do, as `people.base.Home` ------------------------------------------------

    async def _look_around(self, room: Room) -> None:
        """A room that somebody is about to enter: others may be there already."""
        room.presence.set_others(await self.people.who(room.name))
        standing = self.people.standing(room.name)
        if standing is not None:
            rulings.adopt(room.charter, standing)
            room.rules_changed()

    def heads(self) -> Iterator[tuple[str, int, int]]:
        """The rooms that somebody here is in: each one's name, and its last event's seq and at."""
        return ((room.name, room.seq, room.seq_at) for room in self.rooms)

    def heard(self, room: str, head: int) -> None:
        """The log of a room goes up to this seq."""
        self._feed.heard(room, head)

    def set_others(
        self,
        room: str,
        names: Collection[str],
        *,
        renamed: Iterable[tuple[str, str]] = (),
        left: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Who is in a room on other nodes, now."""
        live = self.rooms.get(room)
        if live is not None:
            for step in live.presence.set_others(names, renamed, left):
                self.announcer.step(step._replace(at=int(self.wall() * 1000)), [live])
            self.announcer.changed(live)

    def seen_anew(self, name: str, before: Profile, now: Profile, rooms: Collection[str]) -> None:
        """Somebody on another node, who is in these rooms of ours, is seen otherwise."""
        live = [room for room in map(self.rooms.get, rooms) if room is not None]
        at, seen = int(self.wall() * 1000), source(name, now)
        if now.away != before.away:
            self.announcer.step(Step(StepKind.AWAY, "", name, seen, now, now.away, at=at), live)
        if now.real != before.real:
            self.announcer.step(Step(StepKind.SETNAME, "", name, seen, now, now.real, at=at), live)

    def set_rules(self, room: str, standing: Standing, hints: Sequence[tuple[str, Sequence[Change]]]) -> None:
        """Ranks and rules of a room, as all nodes have them; as far as known, who has made which changes."""
        live = self.rooms.get(room)
        if live is None:
            return
        made = rulings.adopt(live.charter, standing)
        if not made:
            return
        live.rules_changed()
        now = int(self.wall() * 1000)
        for by, changes in (*hints, ("", made)):
            told = [change for change in made if change in changes]
            made = [change for change in made if change not in changes]
            if told:
                seen = self.people.source(by, now) if by else ""
                self.announcer.step(Step(StepKind.MODE, room, by, seen, None, changes=told, at=now), [live])

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        """A program on another node tells the programs in a room something."""
        live = self.rooms.get(room)
        if live is not None:
            self.signals.show(live, Signal(room, who, at, msg_id, tags), None)

    def cut_off(self, error: ChatError) -> None:
        """Refuse every line that is not in a commit, as its speaker may lose the name, and all until `joined_up`."""
        self.writer.refuse(error)
        for room in list(self.rooms):
            self.forget_if_idle(room)

    def joined_up(self) -> None:
        """Lines are taken again."""
        self.writer.accept()

    def log_lost(self, room: str, head: int, at: int) -> None:
        """The log of a room ends before what its readers were shown, or holds something else: go on behind ``head``."""
        self._feed.log_lost(room, head, at)

    async def reach(self, room: Room, seq: int) -> None:
        """Take a room forward to this seq, if its log goes so far.

        Raises:
            ChatError: ``not-readable``.
        """
        await self._feed.reach(room, seq)

    @property
    def reader(self) -> LogReader:
        """Reads the log."""
        return self.catch_up.reader

    # -- rooms and lines ---------------------------------------------------------------------------

    def draft_id(self) -> str:
        """An id for a line that is about to be submitted."""
        return next(self._ids)

    def forget_if_idle(self, room: Room) -> None:
        """Let go of a room in which nobody is and nothing is on its way."""
        if room.is_idle:
            self.announcer.forget(room)
            self.rooms.forget(room)


_log = Logger()


def _report(_: Member) -> None:
    _log.failure("A connection failed at being shown something, and is closed")
