"""The lease: by the node's own clock, whatever the database says and however late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.people.asking import HeldAsking
from tests.reactor import Reactor
from twistedchat.people.asking import LAPSED
from twistedchat.people.beat import BEAT_SECONDS, CUT_OFF, RETRY_SECONDS, TIDY_BEATS, Beat
from twistedchat.postgres.database import LEASE_SECONDS
from twistedchat.postgres.errors import AnswerError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from twistedchat.errors import ChatError
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing

BACK = "The database is back: you can talk again."
LOST = StoreError("The cable is cut.")


class Everybody:
    """Those whom the lease is for, and the server that they are at; all that they are told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.rooms = {"lobby": (5, 50)}
        self.people = 1
        self.is_settled = True

    def look(self) -> list[object]:
        told, self.told = self.told, []
        return told

    # -- as `Ward` -------------------------------------------------------------------------------

    def versions(self, rooms: Collection[str]) -> Sequence[tuple[str, int]]:
        return [(room, 7) for room in rooms]

    def listed(self) -> Sequence[Sequence[object]]:
        return [("ann",)]

    def count(self) -> int:
        return self.people

    def joined_up(self, lost: Sequence[tuple[str, bool]] = (), text: str | None = None) -> None:
        """Also as `Home`, without a word."""
        self.told.append("lines are taken" if text is None else ("claimed", [*lost], text))

    def news(self, stale: Sequence[str], *, has_tells: bool) -> None:
        self.told.append(("news", [*stale], has_tells))

    # -- as `Home` -------------------------------------------------------------------------------

    def heads(self) -> Iterator[tuple[str, int, int]]:
        return ((room, seq, at) for room, (seq, at) in self.rooms.items())

    def heard(self, room: str, head: int) -> None:
        self.told.append(("heard", room, head))

    def set_others(
        self,
        room: str,
        names: Collection[str],
        *,
        renamed: Iterable[tuple[str, str]] = (),
        left: Iterable[tuple[str, str]] = (),
    ) -> None:
        raise AssertionError("the beat reads no roster")

    def set_rules(self, room: str, standing: Standing, hints: Sequence[tuple[str, Sequence[Change]]]) -> None:
        """No rules change here."""

    def seen_anew(self, name: str, before: Profile, now: Profile, rooms: Collection[str]) -> None:
        """Nobody is."""

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        """Nobody does."""

    def cut_off(self, why: ChatError | str) -> None:
        """As both."""
        self.told.append(f"people: {why}" if isinstance(why, str) else f"lines: {why.code}")

    def log_lost(self, room: str, head: int, at: int) -> None:
        self.told.append(("lost", room, head, at))


ALL_IS_OVER = ["lines: not-stored", f"people: {CUT_OFF}"]


def news(**others: object) -> dict[str, Any]:
    return {"people": 1, "moved": [], "cut": [], "stale": [], "tells": False} | others


class BeatTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.asking = HeldAsking()
        self.all = Everybody()
        self.beat = Beat(self.asking, self.all, self.clock)
        self.beat.open(self.all)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, in eighths of a second, which a float counts exactly."""
        self.clock.pump([0.125] * round(seconds * 8))

    def questions(self) -> list[str]:
        return [question[0] for question in self.asking.look()]

    def lapse(self) -> None:
        """The lease lapses while the database is silent."""
        self.pass_seconds(LEASE_SECONDS + 1)
        self.assertEqual((self.all.look(), self.questions()), (ALL_IS_OVER, ["beat"]))


class BeatTests(BeatTestCase):
    def test_renewed(self) -> None:
        """The lease is renewed every two seconds, for ever, with where the rooms and rosters stand."""
        for _ in range(20):
            self.pass_seconds(BEAT_SECONDS + 0.125)
            self.assertEqual(self.asking.look(), [("beat", [("lobby", 5, 50)], [("lobby", 7)])])
            self.asking.answer(news())
        self.assertEqual(self.all.look(), [("news", [], False)] * 20)
        self.assertEqual(self.beat.trouble, "")

    def test_news(self) -> None:
        """What the database knows of others is told: first where a log was cut, then heads, rosters, private lines."""
        self.all.rooms |= {"cut": (9, 90), "moved": (9, 90)}
        self.pass_seconds(BEAT_SECONDS)
        # One room has moved on meanwhile: whether it was cut is seen next time.
        self.all.rooms["moved"] = (10, 100)
        cut = [["cut", 9, 3, 30], ["moved", 9, 3, 30]]
        self.asking.answer(news(cut=cut, moved=[["cut", 4], ["lobby", 6]], stale=["tea"], tells=True))
        self.assertEqual(
            self.all.look(),
            [("lost", "cut", 3, 30), ("heard", "cut", 4), ("heard", "lobby", 6), ("news", ["tea"], True)],
        )

    def test_at_once(self) -> None:
        """It can be asked at once, but not twice at a time."""
        self.beat.now()
        self.beat.now()
        self.assertEqual(self.questions(), ["beat"])
        self.asking.answer(news())
        self.pass_seconds(BEAT_SECONDS)
        self.assertEqual(self.questions(), ["beat"])

    def test_tidied(self) -> None:
        """Every so many beats what nobody asks for any more is deleted."""
        for _ in range(TIDY_BEATS):
            self.beat.now()
            self.asking.answer(news())
        self.assertEqual(self.questions(), ["beat"] * TIDY_BEATS + ["tidy"])
        self.asking.answer()
        self.beat.now()
        self.assertEqual(self.questions(), ["beat"])

    def test_closed(self) -> None:
        """A beat that is closed asks nothing more, loses nothing, and does not take in an answer."""
        self.beat.now()
        self.beat.close()
        self.beat.now()
        self.pass_seconds(3 * LEASE_SECONDS)
        self.assertEqual((self.questions(), self.all.look(), self.clock.getDelayedCalls()), (["beat"], [], []))


class LapseTests(BeatTestCase):
    def test_silent(self) -> None:
        """After ten seconds without an answer all is over, once: first lines are refused, then people are told."""
        self.pass_seconds(LEASE_SECONDS - 0.25)
        self.assertEqual(self.all.look(), [])
        self.pass_seconds(0.5)
        self.assertEqual(self.all.look(), ALL_IS_OVER)
        self.assertEqual(self.beat.trouble, CUT_OFF)
        self.pass_seconds(6 * LEASE_SECONDS)
        self.assertEqual(self.all.look(), [])

    def test_from_asking(self) -> None:
        """A lease lasts from when it was asked for: a late answer does not make it longer."""
        self.pass_seconds(BEAT_SECONDS)
        self.pass_seconds(LEASE_SECONDS - BEAT_SECONDS - 1)
        self.asking.answer(news())
        self.all.look()
        self.pass_seconds(2.875)
        self.assertEqual(self.all.look(), [])
        self.pass_seconds(0.25)
        self.assertEqual(self.all.look(), ALL_IS_OVER)

    def test_late_answer(self) -> None:
        """An answer after that renews nothing: all are claimed anew; the lost names go before lines are taken."""
        self.lapse()
        self.asking.answer(news(moved=[["lobby", 6]]))
        self.assertEqual((self.asking.look(), self.all.look()), ([("come_back", [("ann",)])], []))
        self.assertEqual(self.beat.trouble, CUT_OFF)
        self.asking.answer([("bob", False)])
        self.assertEqual(self.all.look(), [("claimed", [("bob", False)], BACK), "lines are taken"])
        self.assertEqual(self.beat.trouble, "")
        self.pass_seconds(BEAT_SECONDS)
        self.assertEqual(self.questions(), ["beat"])

    def test_database_says_so(self) -> None:
        """The database's clock counts, too: if it says that the lease has lapsed, all is over at once."""
        self.pass_seconds(BEAT_SECONDS)
        self.asking.answer(LAPSED)
        self.assertEqual((self.all.look(), self.questions()), (ALL_IS_OVER, ["beat", "come_back"]))
        self.asking.answer([])
        self.assertEqual(self.all.look(), [("claimed", [], BACK), "lines are taken"])

    def test_lapses_again(self) -> None:
        """A claim that is answered when its own lease is over is worth nothing."""
        self.lapse()
        self.asking.answer(LAPSED)
        self.pass_seconds(LEASE_SECONDS + 1)
        self.asking.answer([])
        self.pass_seconds(0.125)
        self.assertEqual(self.all.look(), [("claimed", [], BACK), "lines are taken", *ALL_IS_OVER])
        self.assertEqual(self.beat.trouble, CUT_OFF)


class FaultTests(BeatTestCase):
    def test_tried_again(self) -> None:
        """A beat without an answer is tried again soon, and one that succeeds in time makes good for all."""
        self.pass_seconds(BEAT_SECONDS)
        for _ in range(14):
            self.asking.fail(LOST)
            self.pass_seconds(RETRY_SECONDS)
        self.assertEqual(self.questions(), ["beat"] * 15)
        self.asking.answer(news())
        self.pass_seconds(BEAT_SECONDS)
        self.asking.answer(news())
        self.pass_seconds(BEAT_SECONDS)
        self.assertEqual(self.all.look(), [("news", [], False)] * 2)

    def test_claims_fail(self) -> None:
        """As long as claiming fails all stays over; nobody is told twice."""
        self.lapse()
        self.asking.answer(news())
        self.asking.fail(LOST)
        self.pass_seconds(RETRY_SECONDS)
        self.asking.answer(news())
        self.assertEqual((self.questions(), self.all.look()), (["come_back", "beat", "come_back"], []))
        self.asking.answer([])
        self.assertEqual(self.all.look(), [("claimed", [], BACK), "lines are taken"])

    def test_refused(self) -> None:
        """A beat that the database refuses is logged, and tried again when the next one is due."""
        self.pass_seconds(BEAT_SECONDS)
        self.asking.fail(AnswerError("No.", "42883"))
        self.pass_seconds(BEAT_SECONDS)
        self.assertEqual(self.questions(), ["beat", "beat"])

    def test_own_fault(self) -> None:
        """A fault of our own is logged, and the beat goes on."""
        self.pass_seconds(BEAT_SECONDS)
        self.asking.answer({})
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.pass_seconds(RETRY_SECONDS)
        self.assertEqual(self.questions(), ["beat", "beat"])


class CountTests(BeatTestCase):
    def test_differs(self) -> None:
        """If the database has other people of this node, they are claimed anew, without a word to anybody."""
        self.beat.now()
        self.asking.answer(news(people=2))
        self.assertEqual(self.questions(), ["beat", "come_back"])
        self.asking.answer([("ann", True)])
        self.assertEqual(self.all.look(), [("news", [], False), ("claimed", [("ann", True)], "")])
        self.assertEqual(self.beat.trouble, "")

    def test_not_settled(self) -> None:
        """While something is on its way, before or after, the numbers may well differ."""
        for before, after in ((False, True), (True, False)):
            self.all.is_settled = before
            self.beat.now()
            self.all.is_settled = after
            self.asking.answer(news(people=2))
            self.assertEqual(self.questions(), ["beat"])
