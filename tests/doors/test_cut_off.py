"""What people and programs are told when the server has lost its database, or their name, or what they were shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tests.doors.cases import JsonTestCase
from tests.fakes import PlainPeer, now
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from twistedchat.people.base import Person

NOT_SAID = "Your line was not said."


class CutOffTestCase(JsonTestCase):
    """Ann, a program, and tom, at telnet, are in #lobby."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.tom = PlainPeer(self.world, buffer_bytes=10**6)
        self.tom.say("tom")
        self.mark = len(self.tom.lines)

    def cut_off(self) -> None:
        self.world.hub.cut_off(ChatError("not-stored", NOT_SAID))
        self.world.run()

    def told(self) -> list[str]:
        """What tom is told."""
        lines, self.mark = self.tom.lines[self.mark :], len(self.tom.lines)
        return lines

    def person(self, name: str) -> Person:
        return cast("Person", now(self.world.hub.people.find(name)))


class LinesTests(CutOffTestCase):
    def wait(self, *lines: str) -> None:
        """Tom says something that waits, because something else is in a commit."""
        self.world.held.holding = True
        self.ann.ask("say", room="lobby", text="first")
        self.tom.say(*lines)

    def test_one_sentence(self) -> None:
        """Who has said many lines is told once that they were not said; what is in a commit is shown."""
        self.wait("one", "two", "three")
        self.cut_off()
        self.assertEqual(self.told(), [f"*** {NOT_SAID}"])
        self.world.held.release()
        self.world.run()
        self.assertTrue(self.told()[-1].endswith("ann: first"))

    def test_each_time(self) -> None:
        """What is said afterwards is refused at once, and another time that it happens is told again."""
        self.wait("one")
        self.cut_off()
        self.tom.say("two")
        self.assertEqual(self.told(), [f"*** {NOT_SAID}"] * 2)
        self.world.hub.joined_up()
        self.tom.say("three", "four")
        self.cut_off()
        self.assertEqual(self.told(), [f"*** {NOT_SAID}"])

    def test_programs(self) -> None:
        """A program is answered for each line, and goes on when lines are taken again."""
        self.wait()
        ids = [self.ann.ask("say", room="lobby", text=text) for text in ("two", "three")]
        self.cut_off()
        ids.append(self.ann.ask("say", room="lobby", text="four"))
        self.assertEqual([self.ann.answer(id_)["code"] for id_ in ids], ["not-stored"] * 3)
        self.assertEqual(self.ask("ping")["type"], "pong")
        self.world.hub.joined_up()
        self.world.held.release()
        self.world.held.holding = False
        self.assertEqual(self.ask("say", room="lobby", text="five")["seq"], 2)

    def test_half_closed(self) -> None:
        """Who has sent all and waits for the rest is told, and the connection closes."""
        self.wait("one")
        self.tom.end()
        self.cut_off()
        self.assertEqual(self.told(), [f"*** {NOT_SAID}"])
        self.assertTrue(self.tom.over)


class NoticeTests(CutOffTestCase):
    def test_people_alone(self) -> None:
        """What is told about the server is told to people; programs see it by their answers."""
        before = len(self.ann.messages)
        for name in ("tom", "ann"):
            self.person(name).notify("The server has lost its database.")
        self.world.run()
        self.assertEqual(self.told(), ["*** The server has lost its database."])
        self.assertEqual(len(self.ann.messages), before)

    def test_evicted(self) -> None:
        """Whoever has lost the name is told why, and the connection closes."""
        for name in ("tom", "ann"):
            self.person(name).evict("name-lost", "Somebody else has your name.", is_moved=False)
        self.world.run()
        self.assertEqual(self.told()[-1], "*** Somebody else has your name.")
        closing = {"type": "closing", "code": "name-lost", "text": "Somebody else has your name."}
        self.assertEqual(self.ann.messages[-1], closing)
        self.assertTrue(self.tom.over)
        self.assertTrue(self.ann.over)
        again = self.enter("ann", "lobby")
        self.assertEqual(again.answer(again.ask("who", room="lobby"))["members"], ["ann"])


class LogLostTests(CutOffTestCase):
    def test_told(self) -> None:
        """People are told in a sentence and stay; a program is closed, comes back, and sees where the log ends."""
        for text in ("one", "two", "three"):
            self.ann.ask("say", room="lobby", text=text)
        self.told()
        self.world.held.go_back(1)
        self.world.hub.log_lost("lobby", 1, 7)
        self.world.run()
        self.flushLoggedErrors()
        sentence = "*** The server has lost what was said last in #lobby: it is not in the log any more."
        self.assertEqual((self.told(), self.tom.over), ([sentence], False))
        self.assertEqual((self.ann.messages[-1]["type"], self.ann.messages[-1]["code"]), ("closing", "log-lost"))
        self.assertTrue(self.ann.over)
        again = self.connect()
        again.ask("hello", name="ann", resume=self.ann.answer(1)["session"])
        self.assertTrue(again.messages[0]["resumed"])
        joined = again.answer(again.ask("join", room="lobby", after=3))
        self.assertEqual((joined["seq"], again.events("lobby")), (1, []))
