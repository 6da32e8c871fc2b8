"""Who comes, goes and changes, as an IRC client is told it."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import World
from tests.irc.client import IrcClient, come
from tests.peers import Peer

BOB = ":bob!~bob@local.ip"


def news(client: IrcClient) -> list[str]:
    """What a client is shown; every address is the same in it."""
    return [re.sub(r"@\w{10}\.ip", "@local.ip", line) for line in client.news()]


class PresenceCase(SynchronousTestCase):
    """A server, and ann, who looks on in a room and in the lobby."""

    CAPS: tuple[str, ...] = ()

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.ann = come(self.world, "ann", *self.CAPS, rooms=["den", "lobby"], buffer_bytes=4000)

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def do(self, client: IrcClient, *lines: str) -> list[str]:
        """What ann is told of what a client does, before any time has passed."""
        client.say(*lines)
        self.world.run()
        return news(self.ann)


class StepTests(PresenceCase):
    def test_come_and_go(self) -> None:
        """Coming and going is told at once, with its reason; the own one once."""
        bob = come(self.world, "bob")
        news(bob)
        self.assertEqual(self.do(bob, "JOIN #den"), [f"{BOB} JOIN #den"])
        self.assertEqual([line for line in news(bob) if " JOIN " in line], [f"{BOB} JOIN #den"])
        self.assertEqual(self.do(bob, "PART #den :dinner time"), [f"{BOB} PART #den :dinner time"])
        self.assertEqual(news(bob), [f"{BOB} PART #den :dinner time"])

    def test_once(self) -> None:
        """A new name, and that somebody is gone, is told once, however many rooms are shared."""
        bob = come(self.world, "bob", rooms=["den", "lobby"])
        news(self.ann)
        self.assertEqual(self.do(bob, "NICK bea"), [f"{BOB} NICK :bea"])
        self.assertEqual(news(bob), [f"{BOB} NICK :bea"])
        self.assertEqual(self.do(bob, "QUIT :bye all"), [":bea!~bob@local.ip QUIT :Quit: bye all"])

    def test_lost(self) -> None:
        """Whose connection is closed without a word has a reason, too."""
        bob = come(self.world, "bob", rooms=["den"])
        news(self.ann)
        bob.reset()
        self.world.run()
        self.assertEqual(news(self.ann), [f"{BOB} QUIT :Connection closed"])

    def test_quit(self) -> None:
        """Who quits without saying why has just quit."""
        bob = come(self.world, "bob", rooms=["den"])
        news(self.ann)
        bob.say("QUIT")
        self.world.run()
        self.assertEqual(news(self.ann), [f"{BOB} QUIT :Quit"])

    def test_ranks(self) -> None:
        """What an op does is told to the others; who inherits its rank, when it goes, by the server."""
        bob, eve = (come(self.world, name, rooms=["den"]) for name in ("bob", "eve"))
        news(self.ann)
        self.ann.say("MODE #den +ot bob")
        self.world.run()
        self.assertEqual(news(self.ann), [":ann!~ann@local.ip MODE #den +ot bob"])
        self.assertEqual(news(bob)[-1:], [":ann!~ann@local.ip MODE #den +ot bob"])
        self.assertEqual(self.do(bob, "KICK #den eve :enough"), [f"{BOB} KICK #den eve :enough"])
        self.assertEqual([line for line in news(bob) if "KICK" in line], [f"{BOB} KICK #den eve :enough"])
        self.assertEqual([line for line in news(eve) if "KICK" in line], [f"{BOB} KICK #den eve :enough"])
        self.ann.say("MODE #den -o ann")
        self.world.run()
        news(self.ann)
        self.assertEqual(
            self.do(bob, "QUIT"), [f"{BOB} QUIT :Quit", f":{self.world.hub.chosen.server} MODE #den +o ann"]
        )

    def test_from_another_door(self) -> None:
        """People with telnet are members as any other; their parting word is theirs."""
        dan = Peer(self.world)
        dan.send(b"dan\r\n")
        self.world.run()
        self.assertEqual(news(self.ann), [":dan!~plain@local.ip JOIN #lobby"])
        dan.send(b"/quit good night\r\n")
        self.world.run()
        self.assertEqual(news(self.ann), [":dan!~plain@local.ip QUIT :Quit: good night"])

    def test_not_asked_for(self) -> None:
        """Who has asked for no capability is told nothing of what it can't understand."""
        bob = come(self.world, "bob", rooms=["den"])
        news(self.ann)
        self.assertEqual(self.do(bob, "AWAY :out", "SETNAME :Bob the Builder"), [])


class CapabilityTests(PresenceCase):
    CAPS = ("away-notify", "extended-join", "setname", "server-time")

    def test_told_once(self) -> None:
        """Why somebody is away, and another text about oneself, is told once to those who asked for it."""
        bob = come(self.world, "bob", rooms=["den", "lobby"])
        told = [line.partition(" ")[2] for line in news(self.ann)]
        self.assertEqual(told, [f"{BOB} JOIN #den * :bob", f"{BOB} JOIN #lobby * :bob"])
        told = [line.partition(" ")[2] for line in self.do(bob, "AWAY :out for lunch", "SETNAME :Bob B", "AWAY")]
        self.assertEqual(told, [f"{BOB} AWAY :out for lunch", f"{BOB} SETNAME :Bob B", f"{BOB} AWAY"])

    def test_away_at_coming(self) -> None:
        """Whoever comes and is away is shown so."""
        bob = come(self.world, "bob")
        told = [line.partition(" ")[2] for line in self.do(bob, "AWAY :out", "JOIN #den")]
        self.assertEqual(told, [f"{BOB} JOIN #den * :bob", f"{BOB} AWAY :out"])


class InviteTests(PresenceCase):
    CAPS = ("invite-notify",)

    def test_invited(self) -> None:
        """Who has asked for it is told who is let in by whom, also late; others are not; who is let in is told once."""
        bob, eve = come(self.world, "bob", rooms=["den"]), come(self.world, "eve")
        dan = come(self.world, "dan", rooms=["den"])
        for each in (self.ann, bob, eve, dan):
            news(each)
        self.assertEqual(self.do(bob, "INVITE eve #den"), [f"{BOB} INVITE eve #den"])
        self.assertEqual((news(eve), news(dan)), ([f"{BOB} INVITE eve #den"], []))
        self.ann.stop_reading()
        for _ in range(12):
            bob.say(f"PRIVMSG #den :full {'x' * 400}")
        bob.say("INVITE eve #den", "INVITE eve #den", "PART #den")
        dan.say("INVITE eve #den")
        self.world.run()
        self.ann.read_again()
        told = [line for line in news(self.ann) if "PRIVMSG" not in line]
        self.assertEqual(told, [f"{BOB} PART #den", ":dan!~dan@local.ip INVITE eve #den"])


class LateTests(PresenceCase):
    def test_full(self) -> None:
        """Who takes nothing is told later what it comes to: for each room alone, and before anything that is said."""
        bob = come(self.world, "bob", rooms=["den"])
        eve = come(self.world, "eve", rooms=["den"])
        news(self.ann)
        self.ann.stop_reading()
        for _ in range(12):
            eve.say(f"PRIVMSG #den :full {'x' * 400}")
            self.world.run()
        bob.say("NICK bea", "PRIVMSG #den :it is me")
        eve.say("QUIT")
        come(self.world, "guest", rooms=["den"]).say("QUIT")
        self.world.run()
        self.ann.read_again()
        self.world.pass_seconds(1)
        told = [line for line in news(self.ann) if "full" not in line]
        self.assertEqual(
            told,
            [
                f"{BOB} PART #den",
                ":eve!~eve@local.ip PART #den :Quit",
                ":bea!~bob@local.ip JOIN #den",
                ":bea!~bob@local.ip PRIVMSG #den :it is me",
            ],
        )
