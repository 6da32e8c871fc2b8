"""What the ranks and rules of a room mean for people at telnet and for programs: what they are told, and what then."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import JsonPeer, PlainPeer, World, now
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.people.base import Deed, DeedKind
from twistedchat.records import Change
from twistedchat.session import Session


class DoorsTestCase(SynchronousTestCase):
    """Op has made #den; Ann, at telnet, and Bob, a program, are in it."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.op = Session(self.world.hub, Ear())
        now(self.op.enter("op"))
        now(self.op.join("den", JsonFormat()))
        self.ann = PlainPeer(self.world, buffer_bytes=10**6)
        self.ann.say("ann", "/join #den")
        self.bob = JsonPeer(self.world, buffer_bytes=10**6)
        self.bob.ask("hello", name="bob")
        self.bob.ask("join", room="den")

    def mode(self, *changes: str) -> None:
        amended = now(self.op.mode("den", [Change(each[0], each[1], each[3:]) for each in changes]))
        self.assertEqual(amended.refused, [])

    def code(self, op: str, **fields: object) -> str:
        """The code with which Bob is refused; the sentence is one."""
        answer = self.bob.answer(self.bob.ask(op, **fields))
        self.assertTrue(answer["text"].endswith("."))
        return str(answer["code"])


class PlainTests(DoorsTestCase):
    def test_muted(self) -> None:
        """Who may not speak is told why and what to do, and nothing is said."""
        self.mode("+m")
        for typed in ("hello", "/me waves", "/topic tea"):
            self.ann.say(typed)
            self.assertEqual(
                self.ann.lines[-1], "*** Only those with a rank speak in #den: ask one of its ops for voice."
            )
        self.assertNotIn("den", self.world.held.log)
        self.mode("+v ann")
        self.ann.say("hello")
        self.assertTrue(self.ann.lines[-1].endswith("ann: hello"))

    def test_not_let_in(self) -> None:
        """Who is not let in is told why, stays where it is, and talks there."""
        self.mode("+i", "+b zoe")
        zoe = PlainPeer(self.world)
        zoe.say("zoe", "/join #den")
        self.assertEqual(zoe.lines[-1], "*** You are banned from #den: ask one of its ops.")
        self.mode("-b zoe")
        zoe.say("/join #den")
        self.assertEqual(zoe.lines[-1], "*** #den is entered by invitation: ask one of its ops.")
        zoe.say("still here")
        self.assertTrue(zoe.heard("zoe: still here"))

    def test_key(self) -> None:
        """The key is given behind the room's name."""
        self.mode("+k tea")
        zoe = PlainPeer(self.world)
        for typed in ("/join #den", "/join #den milk", "/join #den  tea "):
            zoe.say(*(["zoe"] if not zoe.heard("You are") else []), typed)
        self.assertEqual(zoe.lines[-3:-1], ["*** #den has a key, and that is not it: ask somebody who is in it."] * 2)
        self.assertTrue(zoe.lines[-1].startswith("*** You are in #den with "))

    def test_invited(self) -> None:
        """Who is invited is told how to enter, and then can."""
        self.mode("+i")
        zoe = PlainPeer(self.world)
        zoe.say("zoe")
        now(self.op.invite("zoe", "den"))
        self.world.run()
        self.assertEqual(zoe.lines[-1], "*** op invites you to #den: /join #den enters it.")
        zoe.say("/join #den")
        self.assertTrue(zoe.lines[-1].startswith("*** You are in #den with "))

    def test_removed(self) -> None:
        """Who is removed is told by whom and why, and talks in the room entered before it."""
        now(self.op.kick("den", "ann", "too loud"))
        self.world.run()
        self.assertEqual(self.ann.lines[-1], "*** op removed you from #den: too loud")
        self.ann.say("and now")
        self.assertTrue(self.ann.heard("ann: and now"))
        self.assertEqual([event.text for event in self.world.held.log["lobby"]], ["and now"])

    def test_killed(self) -> None:
        """Who is killed is told so, and gone."""
        self.kill("ann")
        self.assertEqual(self.ann.lines[-1], "*** op, who operates this server, has ended your session: spam")
        self.world.pass_seconds(4)
        self.assertTrue(self.ann.over)

    def kill(self, name: str) -> None:
        person = now(self.world.hub.people.find(name))
        assert person is not None
        now(person.undergo(Deed(DeedKind.KILL, "op", "", "spam")))
        self.world.run()

    def test_hidden(self) -> None:
        """A hidden room is not listed, and looks as if it were not there."""
        self.mode("+s")
        zoe = PlainPeer(self.world)
        zoe.say("zoe", "/rooms", "/who #den", "/who #none")
        self.assertFalse(zoe.heard("#den ("))
        self.assertEqual(
            zoe.lines[-2:],
            [
                "*** There is no room #den: join it to open it.",
                "*** There is no room #none: join it to open it.",
            ],
        )


class JsonTests(DoorsTestCase):
    def test_codes(self) -> None:
        """Who may not speak is refused with a code of its own for each reason."""
        self.mode("+m")
        self.assertEqual(self.code("say", room="den", text="hi"), "muted")
        self.mode("-m", "+b bob")
        self.assertEqual(self.code("say", room="den", text="hi"), "banned")
        self.mode("-b bob", "+t")
        self.assertEqual(self.code("topic", room="den", text="hi"), "not-op")
        self.bob.ask("leave", room="den")
        for change, code in (
            ("+k tea", "wrong-key"),
            ("+i", "invite-only"),
            ("+l 1", "room-full"),
            ("+b bob", "banned"),
        ):
            self.mode(change)
            self.assertEqual(self.code("join", room="den"), code)
            self.mode("-" + change[1:])

    def test_key(self) -> None:
        """A program gives the key when it enters."""
        self.bob.ask("leave", room="den")
        self.mode("+k tea")
        self.assertEqual(self.bob.answer(self.bob.ask("join", room="den", key="tea"))["type"], "joined")

    def test_invited_and_removed(self) -> None:
        """A program is told of an invitation, and of a removal."""
        now(self.op.kick("den", "bob", "too loud"))
        self.world.run()
        self.assertEqual(self.bob.messages[-1], {"type": "removed", "room": "den", "by": "op", "text": "too loud"})
        now(self.op.invite("bob", "den"))
        self.world.run()
        self.assertEqual(self.bob.messages[-1], {"type": "invite", "room": "den", "who": "op"})

    def test_killed(self) -> None:
        """A program that is killed is told so, and can't take its session up."""
        token = next(each["session"] for each in self.bob.messages if each["type"] == "welcome")
        person = now(self.world.hub.people.find("bob"))
        assert person is not None
        now(person.undergo(Deed(DeedKind.KILL, "op", "", "spam")))
        self.world.run()
        self.assertEqual((self.bob.messages[-1]["type"], self.bob.messages[-1]["code"]), ("closing", "killed"))
        again = JsonPeer(self.world)
        self.assertIs(again.answer(again.ask("hello", name="bob", resume=token))["resumed"], False)

    def test_resume(self) -> None:
        """Who comes back is in the closed room as before, without the key."""
        token = next(each["session"] for each in self.bob.messages if each["type"] == "welcome")
        self.mode("+k tea", "+l 1")
        self.bob.reset()
        again = JsonPeer(self.world)
        again.ask("hello", name="bob", resume=token)
        self.assertEqual(again.answer(again.ask("join", room="den", after=0))["type"], "joined")

    def test_from_outside(self) -> None:
        """Without ``n`` a program that is not in the room is told by its answer that the line is said."""
        self.bob.ask("leave", room="den")
        self.mode("-n")
        answer = self.bob.answer(self.bob.ask("say", room="den", text="hi"))
        self.assertEqual((answer["type"], answer["room"], answer["seq"]), ("ok", "den", 1))
        self.assertTrue(self.ann.heard("bob: hi"))
