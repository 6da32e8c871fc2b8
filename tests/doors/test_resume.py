from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doors.cases import JsonTestCase

if TYPE_CHECKING:
    from tests.fakes import JsonPeer


class ResumeTests(JsonTestCase):
    def resume(self, token: object, name: str = "ann") -> JsonPeer:
        peer = self.connect()
        peer.ask("hello", name=name, resume=token)
        return peer

    def test_after_a_loss(self) -> None:
        """With its token a session has its name and rooms again, and nobody saw it leave."""
        bob = self.enter("bob", "lobby")
        self.world.pass_seconds(1)
        self.ann.reset()
        self.world.pass_seconds(30)
        again = self.resume(self.ann.answer(1)["session"])
        self.assertEqual((again.messages[0]["resumed"], again.messages[0]["name"]), (True, "ann"))
        self.assertEqual(bob.answer(bob.ask("who", room="lobby"))["members"], ["ann", "bob"])
        self.assertFalse([message for message in bob.messages if message.get("left")])

    def test_no_seam(self) -> None:
        """Nothing of a room is sent before `join`; then exactly the rest, and what is said from now on."""
        bob = self.enter("bob", "lobby")
        bob.ask("say", room="lobby", text="1")
        self.ann.reset()
        bob.ask("say", room="lobby", text="2")
        again = self.resume(self.ann.answer(1)["session"])
        bob.ask("say", room="lobby", text="3")
        self.assertEqual(again.events("lobby"), [])
        again.ask("join", room="lobby", after=1)
        bob.ask("say", room="lobby", text="4")
        self.assertEqual([event["seq"] for event in again.events("lobby")], [2, 3, 4])

    def test_connection_that_seems_open(self) -> None:
        """The session is taken over from a connection that is not known to be lost, which is closed."""
        again = self.resume(self.ann.answer(1)["session"])
        self.assertTrue(again.messages[0]["resumed"] and self.ann.over)
        self.assertEqual(again.answer(again.ask("say", room="lobby", text="hi"))["type"], "ok")

    def test_unknown_token(self) -> None:
        """With an unknown token one begins anew, if the name is free; with the token of another not as that other."""
        again = self.resume("nonsense", "bob")
        self.assertFalse(again.messages[0]["resumed"])
        self.assertEqual(self.resume("nonsense").messages[0]["code"], "name-taken")

    def test_name_is_kept(self) -> None:
        """The name of a lost session is taken for a minute, and then free."""
        self.ann.reset()
        self.world.pass_seconds(59)
        self.assertEqual(self.resume(None).messages[0]["code"], "name-taken")
        self.world.pass_seconds(2)
        self.assertEqual(self.resume(self.ann.answer(1)["session"]).messages[0]["resumed"], False)

    def test_line_sent_again(self) -> None:
        """A line whose acknowledgement was lost stands once when it is sent again with its key."""
        self.world.held.holding = True
        self.ann.ask("say", room="lobby", text="hi", key="k")
        self.ann.reset()
        self.world.held.holding = False
        self.world.held.release()
        again = self.resume(self.ann.answer(1)["session"])
        self.assertTrue(again.answer(again.ask("say", room="lobby", text="hi", key="k"))["again"])
        self.assertEqual(len(self.world.held.log["lobby"]), 1)


class QuitTests(JsonTestCase):
    def test_quit(self) -> None:
        """All that was accepted is stored, acknowledged and shown once; then it closes, and the session has ended."""
        self.ann.send(b'{"op":"say","room":"lobby","text":"bye","id":8}\n{"op":"quit"}\n{"op":"ping","id":9}\n')
        self.assertEqual([message.get("re") for message in self.ann.messages[-2:]], [8, None])
        self.assertEqual(len(self.ann.events("lobby")), 1)
        self.assertTrue(self.ann.over)
        self.assertFalse(self.enter("ann").answer(1)["resumed"])

    def test_quit_ends_the_session_at_once(self) -> None:
        """From `quit` on nobody takes the session up, also while lines of it are still to be stored."""
        self.world.held.holding = True
        self.ann.ask("say", room="lobby", text="bye")
        self.ann.ask("quit")
        again = self.connect()
        refusal = again.answer(again.ask("hello", name="ann", resume=self.ann.answer(1)["session"]))
        self.assertEqual(refusal["code"], "name-taken")
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(1)
        self.assertFalse(again.answer(again.ask("hello", name="ann"))["resumed"])

    def test_half_close(self) -> None:
        """A program that ends its input is answered, and shown its own line once, before it closes."""
        self.ann.send(b'{"op":"say","room":"lobby","text":"bye","id":8}\n{"op":"ping","id":9}')
        self.ann.end()
        self.assertEqual({message.get("re") for message in self.ann.messages} & {8, 9}, {8, 9})
        self.assertEqual(len(self.ann.events("lobby")), 1)
        self.assertTrue(self.ann.over)
