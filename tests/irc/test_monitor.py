"""``MONITOR``: who is on a client's list comes and goes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.irc.client import come


class MonitorTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.ann = come(self.world, "ann")
        self.ann.news()

    def told(self, *lines: str) -> list[str]:
        """What the client is told, without the server's name and its own."""
        if lines:
            self.ann.say(*lines)
        return [
            line.removeprefix(":irc.chatroom ").replace(" ann ", " ").replace(" :", " ") for line in self.ann.news()
        ]

    def test_people_of_all_doors(self) -> None:
        """They come, are called otherwise, and go."""
        self.assertEqual(self.told("MONITOR + bob,eve,Dan"), ["731 bob,eve,Dan"])
        come(self.world, "bob").say("NICK rob", "NICK eve", "QUIT")
        self.world.pass_seconds(1)
        kinds = [line.partition("!")[0] for line in self.told()]
        self.assertEqual(kinds, ["730 bob", "731 bob", "730 eve", "731 eve"])
        dan = PlainPeer(self.world)
        dan.say("dan")
        self.assertTrue(self.told()[0].startswith("730 dan!~"))
        dan.say("/quit")
        self.world.pass_seconds(1)
        self.assertEqual(self.told(), ["731 Dan"])
        JsonPeer(self.world).ask("hello", name="bob")
        self.assertTrue(self.told()[0].startswith("730 bob!~"))

    def test_extended(self) -> None:
        """With extended-monitor also that they are away, or are called otherwise; once, in whatever rooms they are."""
        ann = come(self.world, "amy", "extended-monitor", "away-notify", "setname", rooms=["den"])
        bob = come(self.world, "bob", "setname")
        ann.say("MONITOR + bob")
        ann.news()
        bob.say("AWAY :lunch", "SETNAME :Robert", "AWAY")
        words = [line.replace(" :", " ").split(" ", 1) for line in ann.news()]
        self.assertEqual([rest for _, rest in words], ["AWAY lunch", "SETNAME Robert", "AWAY"])
        self.assertTrue(all(source.startswith(":bob!~bob@") for source, _ in words))
        self.ann.say("MONITOR + bob")
        self.ann.news()
        bob.say("AWAY :lunch", "JOIN #den")
        self.world.pass_seconds(1)
        ann.news()
        bob.say("AWAY :dinner")
        self.assertLessEqual(sum("AWAY" in line for line in ann.news()), 1)
        self.assertEqual(self.told(), [])

    def test_list(self) -> None:
        """It is listed, looked at, made shorter and cleared."""
        bob = come(self.world, "bob")
        [here, gone] = self.told("MONITOR + bob,eve,a b,#den")
        self.assertTrue(here.startswith("730 bob!~bob@"))
        self.assertEqual(gone, "731 eve,a")
        self.assertEqual(self.told("MONITOR L"), ["732 bob,eve,a", "733 That is all of your list."])
        self.assertEqual([line[:7] for line in self.told("MONITOR S")], ["730 bob", "731 eve"])
        self.assertEqual(self.told("MONITOR - EVE,a,nobody", "MONITOR l"), ["732 bob", "733 That is all of your list."])
        self.assertEqual(self.told("MONITOR C", "MONITOR L"), ["733 That is all of your list."])
        bob.say("QUIT")
        self.assertEqual(self.told(), [])
        self.assertEqual(self.told("MONITOR ?"), [])
        self.assertIn("461", self.told("MONITOR")[0])

    def test_full(self) -> None:
        """A hundred names; more are refused. What is told stands in lines of 512 bytes."""
        names = [f"a-rather-long-name-{number}" for number in range(103)]
        for start in range(0, 103, 10):
            self.ann.say(f"MONITOR + {','.join(names[start : start + 10])}")
        self.assertEqual(
            self.told()[-1],
            "734 100 a-rather-long-name-100,a-rather-long-name-101,a-rather-long-name-102 Your list of names is full.",
        )
        listed = self.told("MONITOR L")
        self.assertEqual(",".join(line.partition(" ")[2] for line in listed[:-1]).split(","), names[:100])
        self.assertLess(max(map(len, listed)), 500)

    def test_not_reading(self) -> None:
        """Who does not read is told how things are when it reads again."""
        self.ann.say("MONITOR + bob")
        self.ann.news()
        eve = come(self.world, "eve", buffer_bytes=100)
        eve.news()
        eve.stop_reading()
        eve.say("MONITOR + bob,ann", "LIST", "PING 1", "PING 2", "PING 3")
        for _ in range(5):
            bob = come(self.world, "bob")
            bob.say("QUIT")
            self.world.pass_seconds(1)
        come(self.world, "bob")
        eve.read_again()
        self.world.pass_seconds(1)
        self.assertEqual(sum(" 730 eve " in line and "bob!" in line for line in eve.news()), 1)
        self.assertEqual(len(self.told()), 11)

    def test_gone(self) -> None:
        """A client that is gone is told nothing, and nothing is left of its list."""
        self.ann.say("MONITOR + bob")
        self.ann.reset()
        come(self.world, "bob")
        self.assertEqual(list(self.world.hub.people.watching.watchers("bob")), [])
        self.assertEqual(self.world.faults, [])
