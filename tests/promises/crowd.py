"""How a run of the promise machines begins, and who there is to do something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.drafts import draft
from tests.fakes import HeldStore, JsonPeer, PlainPeer, Reactor, Settings, World
from tests.promises.book import HISTORY, ROOMS, Person
from tests.promises.watch import Watch
from twistedchat.doors.channel import Pace
from twistedchat.events import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ANYONE", "ROOM", "SELDOM", "Crowd"]

RATE = 2000.0
"""Lines a second of one client, where there is a limit: what 50 floods take is over when all has come to rest."""

BURST = 5.0
"""Lines at once, so that few are enough to be held back."""

ANYONE = st.integers(0, 50)
"""Which of those who could do something."""

ROOM = st.sampled_from(ROOMS)
"""Which room."""

SELDOM = st.sampled_from([False, False, False, True])
"""Whether, for one in four."""


class Crowd(Watch):
    """People and programs in three rooms of one server."""

    @initialize(
        lengths=st.tuples(*[st.sampled_from([0, 3, 40, 1100])] * 3),
        budget_bytes=st.sampled_from([2**26, 2**12]),
        look_seconds=st.sampled_from([0.0, 0.002]),
        rate=st.sampled_from([0, 0, RATE]),
    )
    def begin(self, lengths: Sequence[int], budget_bytes: int, look_seconds: float, rate: float) -> None:
        """A server whose rooms have a past, of which it may keep only a little in memory."""
        reactor = Reactor()
        store = HeldStore(reactor.seconds)
        for room, length in zip(ROOMS, lengths, strict=True):
            if length:
                store.fill([draft(room, Kind.SAY, "ghost", self.new_text()) for _ in range(length)])
        self.world = World(
            reactor=reactor,
            store=store,
            settings=Settings(pace=Pace(rate, BURST)),
            history=HISTORY,
            budget_bytes=budget_bytes,
        )
        reactor.look_seconds = look_seconds

    def new_text(self, size: int = 0) -> str:
        """A text that nobody else says, of about this length."""
        self.texts += 1
        return f"t{self.texts}." + "x" * size

    def one_of(self, those: Sequence[Person], who: int) -> Person:
        """One of them."""
        return those[who % len(those)]

    @property
    def talkers(self) -> list[Person]:
        """Everybody who can say something now."""
        return [person for person in self.people if person.talks]

    @property
    def programs(self) -> list[Person]:
        """The programs among them."""
        return [person for person in self.talkers if person.connection.is_program]

    @property
    def someone_talks(self) -> bool:
        """For preconditions."""
        return bool(self.talkers)

    @property
    def some_program_talks(self) -> bool:
        """For preconditions."""
        return bool(self.programs)

    def ask(self, person: Person, op: str, **fields: object) -> None:
        peer = person.connection.peer
        assert isinstance(peer, JsonPeer)
        # Noted before it is sent: the answer may be there at once.
        person.connection.asked[peer.last_id + 1] = {"op": op, **fields}
        peer.ask(op, **fields)

    def type_in(self, person: Person, *lines: str) -> None:
        peer = person.connection.peer
        assert isinstance(peer, PlainPeer)
        peer.say(*lines)
