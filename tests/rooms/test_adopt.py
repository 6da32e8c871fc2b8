"""Ranks and rules as all nodes have them, taken over by one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.records import Change, Mask, Rule, Standing
from twistedchat.rooms.charter import Charter
from twistedchat.rooms.rulings import adopt


class AdoptTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.charter = Charter()
        for change in ("+m", "+k old", "+l 5", "+b eve!*@*", "+o ann", "+v bob"):
            sign, rest = change[0], change[1:]
            letter, _, param = rest.partition(" ")
            self.charter.apply(Change(sign, letter, param), "ann", 1)

    def test_all_of_it(self) -> None:
        """Whatever differs is changed, and nothing else; who has set a mask is known."""
        standing = Standing(
            {"bob": "ov"}, [Rule("n", "", "bob", 2), Rule("k", "new", "bob", 2), Rule("b", "dan!*@*", "bob", 2)]
        )
        made = {"".join(change[:2]) + change.param for change in adopt(self.charter, standing)}
        self.assertEqual(made, {"-m", "-n", "+knew", "-l", "-beve!*@*", "+bdan!*@*", "-oann", "+obob"})
        self.assertEqual(self.charter.masks["b"], {"dan!*@*": Mask("bob", 2)})
        self.assertEqual(
            (self.charter.ranks, self.charter.key, self.charter.flags), ({"bob": "ov"}, "new", frozenset())
        )
        self.assertEqual(adopt(self.charter, standing), [])

    def test_nothing(self) -> None:
        """A room without ranks and rules is as a new one."""
        adopt(self.charter, Standing({}, []))
        self.assertTrue(self.charter.is_usual)
        self.assertEqual((self.charter.ranks, self.charter.flags), ({}, frozenset("n")))
