from __future__ import annotations

from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tests.ear import Ear
from tests.fakes import now
from tests.test_ruler import RulerTestCase
from twistedchat.errors import ChatError
from twistedchat.records import Change

if TYPE_CHECKING:
    from twistedchat.operators import OperatorsFile
    from twistedchat.session import Session


class Passwords:
    """Operators whose password is their name."""

    async def check(self, who: object, name: str, password: str) -> None:
        if name != password:
            raise ChatError("wrong-password", "No.")


class OverseerTestCase(RulerTestCase):
    """Root has become an operator of the server."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.hub.chosen = self.hub.chosen._replace(operators=cast("OperatorsFile", Passwords()))
        self.root = self.enter("root")
        now(self.root.oper("x", "x"))


class OperTests(OverseerTestCase):
    def test_oper(self) -> None:
        """With the right password somebody becomes an operator, which others may know; with a wrong one nobody does."""
        self.assertEqual(self.refusal(self.eve.oper("x", "y")), "wrong-password")
        self.assertEqual((self.root.profile.modes, self.eve.profile.modes), ("o", ""))
        now(self.root.oper("x", "x"))
        self.assertEqual(self.root.profile.modes, "o")

    def test_no_operators(self) -> None:
        """A server without a file of operators has none."""
        self.hub.chosen = self.hub.chosen._replace(operators=None)
        self.assertEqual(self.refusal(self.eve.oper("x", "x")), "no-operators")

    def test_others_may_not(self) -> None:
        """What operators do nobody else may, also not the op of a room."""
        self.assertEqual(self.refusal(self.ann.kill("eve", "")), "not-operator")
        self.assertEqual(self.refusal(self.ann.wallops("hi")), "not-operator")


class KillTests(OverseerTestCase):
    def test_kill(self) -> None:
        """Somebody is told so and gone; the others see why, and the name is free."""
        self.clock.advance(1)
        self.assertEqual(now(self.root.kill("BOB", "spam")), "bob")
        self.assertEqual(self.ears["bob"].heard[-1], "killed by root: spam")
        self.clock.advance(1)
        self.assertEqual((self.bob.name, list(self.bob.rooms), list(self.ann.roster("den").names)), ("", [], ["ann"]))
        self.assertIn('"left":["bob"]', self.ear.heard[-1])
        self.enter("bob")

    def test_lost(self) -> None:
        """Somebody whose connection is lost does not come back."""
        token = self.ann.token
        self.ann.lose()
        now(self.root.kill("ann"))
        self.assertIsNone(now(self.hub.people.resume(token)))
        self.enter("ann")

    def test_not_here(self) -> None:
        """Nobody of that name, nobody killed."""
        self.assertEqual(self.refusal(self.root.kill("nobody")), "not-here")


class RoomsTests(OverseerTestCase):
    def test_rules_of_every_room(self) -> None:
        """An operator gives ranks and lifts rules in rooms that it is not in, hidden ones too, and sees the key."""
        self.mode(self.ann, "+s", "+k tea")
        self.assertEqual(self.root.rules("den").key, "tea")
        self.assertEqual(self.mode(self.root, "-s", "+o bob"), ["-s", "+o bob"])
        self.assertEqual(self.ranks(), {"ann": "o", "bob": "o"})

    def test_lobby(self) -> None:
        """So there can be rules in #lobby, too."""
        self.join(self.eve, "lobby")
        self.assertEqual(self.refusal(self.eve.mode("lobby", [Change("+", "m")])), "not-op")
        self.assertEqual(self.mode(self.root, "+m", room="lobby"), ["+m"])

    def test_no_op(self) -> None:
        """To remove people from a room an operator needs a rank there, as anybody does."""
        self.join(self.root, "den")
        self.assertEqual(self.refusal(self.root.kick("den", "bob")), "not-op")


class WallopsTests(OverseerTestCase):
    def test_wallops(self) -> None:
        """It reaches those who want to hear it, and whose connection stands."""
        zoe = self.enter("zoe", Ear(), resumable=True)
        for session in (self.eve, zoe):
            self.want_wallops(session)
        zoe.lose()
        now(self.root.wallops("tea is ready"))
        self.assertEqual(self.ears["eve"].heard, ["root tells all: tea is ready"])
        self.assertEqual(self.ears["bob"].heard, [])
        self.assertEqual(self.refusal(self.root.wallops("")), "empty-text")

    def want_wallops(self, session: Session) -> None:
        session.profile = session.profile._replace(modes="w")
