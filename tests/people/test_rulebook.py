"""Ranks and rules that were read of all nodes, beside what is just done here."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.people.asking import UNKNOWN
from twistedchat.people.faces import Roll
from twistedchat.people.rulebook import MAX_RULED, Rulebook
from twistedchat.records import Change, Standing

MUTED = [Change("+", "m")]


class RulebookTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.pending: set[str] = set()
        self.rules = Rulebook(self.pending.__contains__)

    def test_read(self) -> None:
        """What was read counts, and with it who has changed what."""
        self.rules.heard("den", "bob", MUTED)
        self.rules.heard("tea", "eve", MUTED)
        begun = self.rules.begin(["den", "tea"])
        self.assertEqual(self.rules.read("den", begun), [("bob", MUTED)])
        self.assertEqual(self.rules.read("den", begun), [])
        self.assertEqual(self.rules.read("tea", begun), [("eve", MUTED)])

    def test_changed_here_meanwhile(self) -> None:
        """What was done here while it was read, or was still to be told then, may lack: it is read again."""
        begun = self.rules.begin(["den", "tea"])
        self.rules.own_change("den")
        self.assertIsNone(self.rules.read("den", begun))
        self.assertEqual(self.rules.read("tea", begun), [])
        self.pending.add("den")
        begun = self.rules.begin(["den"])
        self.pending.clear()
        self.assertIsNone(self.rules.read("den", begun))
        self.assertEqual(self.rules.read("den", self.rules.begin(["den"])), [])

    def test_looked(self) -> None:
        """In a room that nobody here is in, a rank of somebody who was here is an old one."""
        self.rules.looked(Roll("den", 1, {"bob": UNKNOWN}, Standing({"bob": "o", "ann": "o"}, [])))
        self.assertEqual(self.rules.standings["den"].ranks, {"bob": "o"})

    def test_bounds(self) -> None:
        """Other rooms are forgotten, and only so many changes are remembered."""
        self.rules.looked(Roll("den", 1, {}))
        self.rules.own_change("den")
        self.rules.keep_only(["tea"])
        self.assertEqual((self.rules.standings, self.rules.begin(["den"])), ({}, {"den": 0}))
        for _ in range(MAX_RULED + 1):
            self.rules.heard("den", "bob", MUTED)
        self.assertEqual(len(self.rules.read("den", self.rules.begin(["den"])) or ()), MAX_RULED)
