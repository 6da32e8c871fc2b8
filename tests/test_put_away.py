"""Rooms of whose log a part is put away."""

from __future__ import annotations

from typing_extensions import override

from tests.drafts import draft
from tests.ear import Ear
from tests.fakes import now
from tests.test_session import SessionTestCase
from twistedchat.events import Kind


class PutAwayTests(SessionTestCase):
    """In #old 30 lines were said and put away, and one was said since then."""

    @override
    def setUp(self) -> None:
        super().setUp()
        now(self.store.put_away("old"))

    def one_more(self) -> None:
        self.store.fill([draft("old", Kind.SAY, "zoe", "since")])

    def shown(self) -> list[str]:
        return [words for words in self.ear.heard if words.startswith("shown")]

    def test_entered(self) -> None:
        """Whoever enters is shown what was said since then, wherever its cursor is to be; then what comes live."""
        self.one_more()
        for after in (None, 0, 3):
            joined = self.join(self.ann, "old", after)
            assert (joined.seq, joined.is_caught_up) == (31, False)
        assert self.ann.rewind("old", 0) == 30
        self.ann.show_all()
        self.assertEqual(self.shown(), ["shown since"] * 4)

    def test_history(self) -> None:
        """What is put away can't be asked for, nor found by its time."""
        self.one_more()
        for bounds in ({}, {"after": 0}, {"before": 31}):
            excerpt = now(self.ann.history("old", limit=50, **bounds))
            self.assertEqual([event.seq for event in excerpt.events], [] if "before" in bounds else [31])
        self.assertEqual(now(self.ann.find_time("old", -1)), 0)

    def test_all_of_it(self) -> None:
        """A room of which all is put away is no room of the list; whoever enters it has made it, and can rule it."""
        self.assertEqual(now(self.ann.list_rooms(max_chars=999)), [])
        bob = self.enter("bob", Ear())
        joined = self.join(self.ann, "old")
        assert (joined.seq, joined.topic, joined.is_caught_up) == (30, "", True)
        self.join(bob, "old")
        self.assertEqual([self.ann.rules("old").rank, bob.rules("old").rank], ["o", ""])
        self.assertEqual(self.shown(), [])
