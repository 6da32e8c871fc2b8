"""The log goes back: the database that took the other one's place did not have its end."""

from __future__ import annotations

from tests.ear import Ear
from tests.nodes import NodeTestCase
from twistedchat.rooms.announce import GATHER_SECONDS

LOST = "lobby has lost its end"


class LogLostTests(NodeTestCase):
    def lose(self, head: int, *, room: str = "lobby") -> None:
        """The beat finds that of the log no more is left."""
        self.hub.log_lost(room, head, 7)
        self.turn()

    def logged(self) -> int:
        """How often the operator was told."""
        return len(self.flushLoggedErrors())

    def test_goes_on(self) -> None:
        """Everybody is told, once, and shown whatever is said from then on."""
        self.say("a", "b", "c")
        self.turn()
        bob = Ear()
        self.enter("bob", bob)
        self.clock.advance(GATHER_SECONDS)
        self.store.go_back(1)
        self.lose(1)
        self.assertEqual((self.ear.heard[-1], bob.heard[-1]), (LOST, LOST))
        self.assertEqual([*self.hub.heads()], [("lobby", 1, 7)])
        self.say("d")
        self.turn()
        self.assertEqual((self.ear.seqs, bob.seqs), ({"lobby": [1, 2, 3, 2]}, {"lobby": [1, 2, 3, 2]}))
        self.assertEqual(self.said[-2:], ["stored d as 2", "shown d"])
        self.assertEqual(self.ear.heard.count(LOST), 1)

    def test_behind(self) -> None:
        """Who had not been shown all is set behind it, too; who has lost the connection is told when it comes back."""
        self.say("a")
        self.turn()
        slow = Ear()
        bob = self.enter("bob", slow)
        cat = Ear()
        gone = self.enter("cat", cat)
        gone.take_up(cat)
        slow.full = True
        self.say("b", "c")
        self.turn()
        self.store.go_back(1)
        self.lose(1)
        slow.full = False
        bob.show_all()
        self.say("d")
        self.turn()
        self.assertEqual(slow.seqs, {"lobby": [1, 2]})
        self.assertNotIn(LOST, cat.heard)
        self.join(gone, after=3)
        self.assertEqual(gone.last_seq("lobby"), 2)

    def test_owed(self) -> None:
        """A line that was stored behind others, and is lost before they were read, is refused, not acknowledged."""
        self.store.far("x")
        self.store.holding_reads = True
        self.say("a")
        self.turn()
        self.assertEqual(self.said, [])
        self.store.go_back(0)
        self.lose(0)
        self.assertEqual(self.said, [LOST, "refused a: not-stored"])
        self.store.release()
        self.store.holding_reads = False
        self.say("b")
        self.turn()
        self.assertEqual(self.said[2:], ["stored b as 1", "shown b"])

    def test_nobody_there(self) -> None:
        """A room that nobody here is in loses nothing."""
        self.lose(1, room="tea")
        self.assertEqual(self.said, [])

    def test_said_before_it_is_known(self) -> None:
        """A line that is later than all that was shown, and not behind it, shows at once that the log has gone back."""
        self.say("a", "b", "c")
        self.turn()
        self.store.go_back(1)
        self.clock.advance(1)
        self.say("d")
        self.turn()
        self.assertEqual(self.said[-3:], [LOST, "stored d as 2", "shown d"])
        self.assertTrue(self.ann.has_seen_all)

    def test_several_before_it_is_known(self) -> None:
        """So do several, of which one would follow on what was shown."""
        self.say("a", "b", "c")
        self.turn()
        self.store.go_back(2)
        self.clock.advance(1)
        self.say("d", "e")
        self.turn()
        self.assertEqual(self.said[-5:], [LOST, "stored d as 3", "stored e as 4", "shown d", "shown e"])

    def test_others_before_it_is_known(self) -> None:
        """So does one behind others' lines: it is shown, and these are in the log."""
        self.say("a", "b", "c")
        self.turn()
        self.store.go_back(1)
        self.clock.advance(1)
        self.store.far("x")
        self.say("d")
        self.turn()
        self.assertEqual(self.said[-2:], ["stored d as 3", "shown d"])
        self.assertIn(LOST, self.said)

    def test_late(self) -> None:
        """An own line that others were told of first is no sign of that."""
        self.store.late = True
        self.say("a")
        self.turn()
        self.clock.advance(1)
        self.store.far("x")
        self.store.heard("lobby", 2)
        self.store.answer()
        self.turn()
        self.assertEqual(self.said, ["stored a as 1", "shown a", "shown x"])
