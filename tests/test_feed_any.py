"""Whatever two nodes append, and whenever this one hears of it, everybody here is shown the log."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.ear import Ear
from tests.nodes import NodeTestCase
from twistedchat.rooms.audience import SMALL_ROOM

if TYPE_CHECKING:
    from twistedchat.hub import Hub
    from twistedchat.session import Session
    from twistedchat.stores.base import Stored

PEOPLE = 4
CROWD = SMALL_ROOM + 20
"""With so many more the room is a large one, which is shown its batches in turns."""


class Reader(Ear):
    """Sees to it that what it said is in the room when it is told that it is stored, and is told once."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub
        self.told: list[object] = []

    @override
    def stored(self, tag: object, stored: Stored) -> None:
        room = self.hub.rooms.get("lobby")
        assert room is None or room.seq >= stored.event.seq
        self.told.append(tag)


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["say", "full", "drain", "join", "leave"]), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("heard"), st.integers(0, 3)),
        st.tuples(
            st.sampled_from(["far", "far", "turn", "turn", "hold", "release", "hold reads", "late", "answer"]),
            st.just(0),
        ),
    ),
    max_size=60,
)


class AnyInterleavingTests(NodeTestCase):
    @given(steps, st.booleans())
    @settings(deadline=None, max_examples=150)
    def test_everybody_is_shown_the_log(self, steps: list[tuple[str, int]], large: bool) -> None:
        """Own lines, another node's and what is heard of them may come in any order, and nobody misses or repeats."""
        self.start()
        self.readers: dict[int, tuple[Session, Reader]] = {}
        self.said_by: list[tuple[Reader, str]] = []
        self.names = count()
        for number in range(CROWD if large else 0):
            self.enter(f"crowd{number}")
        self.clock.look_seconds = 0.001 if large else 0
        for step, number in steps:
            self.do(step, number)
        self.finish()
        everything = list(range(1, self.store.head() + 1))
        for _, reader in self.readers.values():
            self.assertEqual(reader.seqs.get("lobby", []), everything)
        for reader, text in self.said_by:
            self.assertEqual(reader.told.count(text), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def do(self, step: str, number: int) -> None:
        store = self.store
        if step == "far":
            store.far(f"far {next(self.names)}")
        elif step == "heard":
            store.heard("lobby", max(0, store.head() - number))
        elif step == "turn":
            self.clock.turn()
        elif step == "hold":
            store.holding = True
        elif step == "hold reads":
            store.holding_reads = True
        elif step == "release":
            store.holding = store.holding_reads = False
            store.release()
        elif step == "late":
            store.late = True
        elif step == "answer":
            store.late = False
            store.answer()
        else:
            self.do_as_person(step, number)

    def do_as_person(self, step: str, number: int) -> None:
        if step == "join":
            if number not in self.readers:
                reader = Reader(self.hub)
                self.readers[number] = self.enter(f"p{number}", reader, after=0), reader
            return
        if number not in self.readers:
            return
        session, reader = self.readers[number]
        if step == "say":
            text = f"p{number} {next(self.names)}"
            session.say("lobby", text, reader, text)
            self.said_by.append((reader, text))
        elif step == "full":
            reader.full = True
        elif step == "drain":
            reader.full = False
            session.show_all()
        else:
            session.close()
            del self.readers[number]
            shown = reader.seqs.get("lobby", [])
            self.assertEqual(shown, list(range(1, len(shown) + 1)))

    def finish(self) -> None:
        """Everything is answered, heard of and taken."""
        self.clock.look_seconds = 0
        for _ in range(5):
            for step in ("release", "answer", "heard", "turn"):
                self.do(step, 0)
            for number in list(self.readers):
                self.do_as_person("drain", number)
            self.clock.advance(1)
