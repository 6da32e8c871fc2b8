"""Lines whose outcome is late, and people who come from a node that was ahead of this one."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.ear import Ear
from tests.fakes import now
from tests.nodes import NodeTestCase
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.session import Session


class LateTests(NodeTestCase):
    def test_others_behind_own_line(self) -> None:
        """A line whose answer is late is not shown before that, nor what another node appended behind it."""
        self.store.late = True
        self.say("a")
        self.turn()
        self.store.far("b")
        self.store.heard("lobby", 2)
        self.turn()
        self.assertEqual(self.said, [])
        self.store.answer()
        self.turn()
        self.assertEqual(self.said, ["stored a as 1", "shown a", "shown b"])

    def test_others_while_own_line_waits(self) -> None:
        """What others say before it is shown, though the answer to our own line is late."""
        self.store.holding = True
        self.say("a")
        self.turn()
        self.store.far("b")
        self.store.heard("lobby", 1)
        self.turn()
        self.assertEqual(self.said, ["shown b"])
        self.store.release()
        self.turn()
        self.assertEqual(self.said, ["shown b", "stored a as 2", "shown a"])

    def test_shown_by_another_node_already(self) -> None:
        """Who comes from another node that was ahead of this one goes on where it was: the log has lost nothing."""
        self.store.far("a", "b")
        ear = Ear()
        bob = self.enter("bob", ear, after=2)
        self.assertEqual((bob.last_seq("lobby"), ear.seqs), (2, {}))
        self.turn()
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2]})
        self.store.far("c")
        self.store.heard("lobby", 3)
        self.turn()
        self.assertEqual(ear.seqs, {"lobby": [3]})

    def test_behind_the_end(self) -> None:
        """A cursor behind the end of the log is set to it, also where the log is read meanwhile."""
        self.store.far("a")
        self.store.holding_reads = True
        session = Session(self.hub, Ear())
        now(session.enter("bob"))
        joining = Deferred.fromCoroutine(session.join("lobby", JsonFormat(), after=7))
        self.assertFalse(joining.called)
        self.store.release()
        self.turn()
        self.assertEqual(self.successResultOf(joining).seq, 1)
