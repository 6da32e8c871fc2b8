"""Leaving at the IRC door, and its limits: what the leaver gets, and what the others see."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import PlainPeer, World
from tests.irc.client import IrcClient, come


class LeavingCase(SynchronousTestCase):
    """A server; ann is in #den, and bob watches with an IRC client, tom with telnet."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.bob = come(self.world, "bob", rooms=["den"])
        self.tom = PlainPeer(self.world)
        self.tom.say("tom", "/join den")
        self.ann = come(self.world, "ann", rooms=["den", "lobby"])
        self.world.pass_seconds(1)
        self.bob.news()
        self.tom.received.clear()

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def seen(self) -> list[str]:
        """What bob was shown of ann, without her user and host."""
        self.world.pass_seconds(1)
        lines = [line.split(" ", 1) for line in self.bob.news()]
        return [rest for source, rest in lines if source.startswith(":ann!~ann@")]


class WaysTests(LeavingCase):
    def test_quit(self) -> None:
        """QUIT says why, once for all rooms; the leaver gets ERROR when all is stored."""
        self.world.held.holding = True
        self.ann.say("PRIVMSG #den :bye", "QUIT :see you...")
        self.world.pass_seconds(1)
        self.assertEqual((self.ann.news(), self.seen()), ([], []))
        self.world.held.holding = False
        self.world.held.release()
        self.assertEqual(self.seen(), ["PRIVMSG #den :bye", "QUIT :Quit: see you..."])
        self.assertEqual(self.ann.news(), ["ERROR :Closing link: Quit: see you..."])
        self.assertTrue(self.ann.over)
        self.assertTrue(self.tom.heard("*** ann left: Quit: see you..."))

    def test_quit_at_once(self) -> None:
        """A line right before QUIT is its speaker's to all, however busy the server is."""
        self.ann.say(*[f"PRIVMSG #den :{number}" for number in range(9)], "QUIT")
        expected = [f"PRIVMSG #den :{number}" for number in range(9)]
        self.assertEqual(self.seen(), [*expected, "QUIT :Quit"])

    def test_rename_at_once(self) -> None:
        """So is one right before another name."""
        self.ann.say(*[f"PRIVMSG #den :{number}" for number in range(9)], "NICK anna")
        expected = [f"PRIVMSG #den :{number}" for number in range(9)]
        self.assertEqual(self.seen(), [*expected, "NICK :anna"])

    def test_closed(self) -> None:
        """A connection that is closed or reset without QUIT."""
        self.ann.close()
        self.assertEqual(self.seen(), ["QUIT :Connection closed"])
        ann = come(self.world, "ann", rooms=["den"])
        self.bob.news()
        ann.reset()
        self.assertEqual(self.seen(), ["QUIT :Connection closed"])

    def test_half_closed(self) -> None:
        """Who closes one half has every line said first."""
        self.ann.write(b"PRIVMSG #den :one\r\nPRIVMSG #den :two")
        self.ann.end()
        self.assertEqual(self.seen(), ["PRIVMSG #den :one", "PRIVMSG #den :two", "QUIT :Connection closed"])
        self.assertTrue(self.ann.over)

    def test_ping_timeout(self) -> None:
        """Who says nothing for 90 s is asked; who does not answer for 60 s is let go."""
        self.ann.answers_pings = False
        self.world.pass_seconds(147)
        self.assertFalse(self.ann.over)
        self.assertEqual(self.seen(), [])
        self.world.pass_seconds(2)
        self.assertEqual(self.seen(), ["QUIT :Ping timeout: 150 seconds"])
        self.assertIn("ERROR :Closing link: Ping timeout: 150 seconds", self.ann.news())

    def test_quiet_stays(self) -> None:
        """Who answers stays, however quiet."""
        self.world.pass_seconds(2000)
        self.assertFalse(self.ann.over)
        self.assertEqual(self.seen(), [])

    def test_takes_nothing(self) -> None:
        """Who takes nothing for 60 s is let go."""
        slow = come(self.world, "slow", rooms=["den"], buffer_bytes=500)
        self.world.pass_seconds(1)
        self.bob.news()
        slow.stop_reading()
        self.ann.say(*[f"PRIVMSG #den :{'x' * 200}"] * 5)
        self.world.pass_seconds(65)
        shown = [line.partition(" ")[2] for line in self.bob.news() if line.startswith(":slow!")]
        self.assertEqual(shown, ["QUIT :Connection lost"])

    def test_server_stops(self) -> None:
        """When the server stops everybody is told so, and nobody that the others left."""
        self.world.stop()
        self.assertEqual(self.ann.news()[-1], "ERROR :Closing link: The server is stopping")
        self.assertEqual([line for line in self.bob.news() if "QUIT" in line], [])

    def test_part(self) -> None:
        """PART says why to those in the room, also of several rooms; one that it is not in is refused."""
        self.ann.say("PART #den,#lobby,#other,den :home")
        self.assertEqual(self.seen(), ["PART #den :home"])
        lines = [line.partition(" ")[2] for line in self.ann.news()]
        self.assertEqual(lines[:2], ["PART #den :home", "PART #lobby :home"])
        self.assertEqual([line.split(" ")[0] for line in lines[2:]], ["442", "403"])

    def test_all_rooms(self) -> None:
        """JOIN 0 leaves them all."""
        self.ann.say("JOIN 0")
        self.assertEqual(self.seen(), ["PART #den"])
        self.assertEqual(len([line for line in self.ann.news() if " PART #" in line]), 2)


class LimitTests(LeavingCase):
    def test_long_line(self) -> None:
        """A line of 512 bytes passes; a longer one, and longer tags, are answered by 417 and thrown away to the end."""
        fits = "PING " + "x" * 505
        self.ann.say(fits)
        self.assertEqual(self.ann.news()[-1][:30], f":irc.chatroom PONG irc.chatroom {'x' * 9}"[:30])
        self.ann.say("PRIVMSG #den :" + "y" * 600, "@+a=" + "z" * 5000 + " PRIVMSG #den :no")
        self.ann.send(b"PRIVMSG #den :" + b"w" * 100_000 + b"\r\n")
        self.ann.say("PING alive")
        lines = self.ann.news()
        self.assertEqual([line.split(" ")[1] for line in lines], ["417", "417", "417", "PONG"])
        self.assertEqual(self.seen(), [])

    def test_not_utf8(self) -> None:
        """Of a line that is not UTF-8 nothing is done, and the client is told."""
        self.ann.send(b"PRIVMSG #den :caf\xe9\r\n")
        [line] = self.ann.news()
        self.assertRegex(line, "^:irc.chatroom FAIL PRIVMSG INVALID_UTF8 :")
        self.assertEqual(self.seen(), [])

    def test_odd_lines(self) -> None:
        """NUL and CR inside a line are dropped; an empty line is nothing; parameters beyond 15 are ignored."""
        self.ann.send(b"\r\n\n   \r\n:src\r\n@a=b\r\n")
        self.assertEqual(self.ann.news(), [])
        self.ann.send(b":ann  PRIV\0MSG   #den :a\rb\0c \x1b[31m\n")
        self.assertEqual(self.seen(), ["PRIVMSG #den :abc ␛[31m"])
        self.ann.say("PING " + " ".join(map(str, range(20))))
        self.assertEqual(self.ann.news()[-1], ":irc.chatroom PONG irc.chatroom 0")

    def test_unknown(self) -> None:
        """An unknown command is answered by 421, harmlessly."""
        self.ann.send(b"KN\x1b[0mOCK x\r\nKNOCK #den\r\n")
        lines = self.ann.news()
        self.assertEqual([line.split(" ")[1] for line in lines], ["421", "421"])
        self.assertNotIn("\x1b", "".join(lines))


class SlowTests(LeavingCase):
    def test_slow_reader(self) -> None:
        """A reader that stops is skipped, and catches up with every line once, in order, with no line held for it."""
        slow = come(self.world, "slow", "message-tags", "batch", rooms=["den"], buffer_bytes=3000)
        self.world.pass_seconds(1)
        slow.news()
        slow.stop_reading()
        for number in range(300):
            self.ann.say(f"PRIVMSG #den :{number} {'x' * 100}")
        self.world.pass_seconds(1)
        self.assertEqual(len(self.seen()), 300)
        slow.read_again()
        self.world.pass_seconds(1)
        shown = [line.split(" :", 2)[-1].split(" ")[0] for line in slow.news() if " PRIVMSG " in line]
        self.assertEqual(shown, [str(number) for number in range(300)])

    def test_long_answer(self) -> None:
        """The names of a room of thousands come whole to one that reads slowly, and nothing of the room before them."""
        names = [f"somebody-number-{number:05}" for number in range(5000)]
        self.world.hub.set_others("den", names)
        slow = come(self.world, "slow", buffer_bytes=2000)
        self.world.pass_seconds(2)
        slow.news()
        slow.stop_reading()
        slow.write(b"JOIN #den\r\nPING end\r\n")
        self.world.run()
        self.ann.say("PRIVMSG #den :meanwhile")
        self.assertLess(len(slow.transport.dataBuffer), 70_000)
        slow.read_again()
        self.world.pass_seconds(1)
        lines = slow.news()
        listed = [word.lstrip("@") for line in lines if " 353 " in line for word in line.partition(" :")[2].split(" ")]
        self.assertLessEqual(set(names), set(listed))
        kinds = [line.split(" ")[1] for line in lines]
        self.assertEqual(kinds[0], "JOIN")
        self.assertGreater(kinds.index("PRIVMSG") if "PRIVMSG" in kinds else len(kinds), kinds.index("366"))
        self.assertTrue(lines[-1].endswith("PONG irc.chatroom end"))


class FloodTests(LeavingCase):
    def test_garbage(self) -> None:
        """Whatever bytes come, the connection stays, and answers."""
        noise = bytes(range(256)) * 40
        for cut in (1, 7, 64, 1000):
            client = IrcClient(self.world)
            for start in range(0, len(noise), cut):
                client.send(noise[start : start + cut])
            client.say("", "NICK zoe", "USER z 0 * :Z", "PING alive")
            self.world.pass_seconds(0.1)
            self.assertTrue(client.heard("PONG irc.chatroom alive"), cut)
            client.close()
            self.world.pass_seconds(1)
