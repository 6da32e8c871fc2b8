"""Asking for rooms and people at the IRC door: each command, its numerics and its errors."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import World
from tests.irc.client import IrcClient, come
from tests.peers import PlainPeer

SERVER = ":irc.chatroom"
HOST = "a.ip"
_HOST = re.compile(r"\b[a-z0-9]{10}\.ip\b")


class AskingCase(SynchronousTestCase):
    """A server, and alice, who asks."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.alice = come(self.world, "alice", rooms=["lobby"])

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def ask(self, *lines: str, of: IrcClient | None = None) -> list[str]:
        """What is answered, without the server's name and the nick."""
        client = of or self.alice
        client.news()
        client.say(*lines)
        return self.news(client)

    @staticmethod
    def news(client: IrcClient) -> list[str]:
        """What came, without the server's name and the nick, and with `HOST` for everybody's host."""
        nick = client.nick
        lines = [_HOST.sub(HOST, line) for line in client.news()]
        return [
            line.replace(f"{SERVER} ", "").replace(f" {nick} ", " ", 1) if line.startswith(SERVER) else line
            for line in lines
        ]


class ListTests(AskingCase):
    def test_list(self) -> None:
        """All rooms, with how many are in each and its topic; then the end."""
        come(self.world, "bob", rooms=["den", "lobby"])
        self.ask("TOPIC #lobby :about all")
        self.assertEqual(self.ask("LIST"), ["322 #den 1 :", "322 #lobby 2 :about all", "323 :That is all."])

    def test_demands(self) -> None:
        """By numbers of people, by masks, and by masks that must not match; all demands hold together."""
        come(self.world, "bob", rooms=["den", "lobby", "deli"])
        for demand, rooms in (
            (">1", ["#lobby"]),
            ("<2", ["#deli", "#den"]),
            ("#de*", ["#deli", "#den"]),
            ("#de*,!*n", ["#deli"]),
            ("#DEN,#lobby", ["#den", "#lobby"]),
            ("#de?,>5", []),
        ):
            self.assertEqual([line.split(" ")[1] for line in self.ask(f"LIST {demand}")[:-1]], rooms, demand)

    def test_hidden(self) -> None:
        """A hidden room is in the list of those who are in it alone."""
        bob = come(self.world, "bob", rooms=["den"])
        bob.say("MODE #den +s")
        self.assertEqual([line.split(" ")[1] for line in self.ask("LIST")[:-1]], ["#lobby"])
        self.assertIn("#den", [line.split(" ")[1] for line in self.ask("LIST", of=bob)[:-1]])


class NamesTests(AskingCase):
    def test_names(self) -> None:
        """Everybody in a room with the highest rank, or with all; and with user and host for who asked for them."""
        bob = come(self.world, "bob", "multi-prefix", "userhost-in-names", rooms=["den"])
        self.alice.say("JOIN #den")
        bob.say("MODE #den +v bob")
        self.assertEqual(self.ask("NAMES #den"), ["353 = #den :alice @bob", "366 #den :That is everybody."])
        told = f"353 = #den :alice!~alice@{HOST} @+bob!~bob@{HOST}"
        self.assertEqual(self.ask("NAMES #den", of=bob)[0], told)

    def test_other_rooms(self) -> None:
        """Ranks are told to those who are not in the room, too."""
        come(self.world, "bob", rooms=["den"])
        self.assertEqual(self.ask("NAMES #den")[0], "353 = #den :@bob")

    def test_symbol(self) -> None:
        """A hidden room is marked as such."""
        self.alice.say("JOIN #den", "MODE #den +s")
        self.assertEqual(self.ask("NAMES #den")[0], "353 @ #den :@alice")

    def test_nobody(self) -> None:
        """A room that is not there, or hidden, and no room at all have nobody."""
        come(self.world, "bob", rooms=["den"]).say("MODE #den +s")
        for target in ("#nowhere", "#den"):
            self.assertEqual(self.ask(f"NAMES {target}"), [f"366 {target} :That is everybody."])
        self.assertEqual(self.ask("NAMES"), ["366 * :That is everybody."])

    def test_many(self) -> None:
        """A room of many is told whole, in lines of 512 bytes, also to a client that takes it slowly."""
        names = [f"somebody-{number:04}" for number in range(300)]
        slow = come(self.world, "slow", buffer_bytes=1024)
        for name in names:
            come(self.world, name).say("JOIN #big")
        slow.reading = False
        slow.say("NAMES #big", "PING after")
        slow.reading = True
        self.world.pass_seconds(1)
        lines = [line for line in slow.news() if " 353 " in line]
        told = {name.lstrip("@") for line in lines for name in line.partition(" :")[2].split(" ")}
        self.assertEqual(told, set(names))
        self.assertLessEqual(max(len(line.encode()) for line in lines), 510)


class WhoTests(AskingCase):
    def test_room(self) -> None:
        """Everybody in a room: user, host, server, name, whether away, an operator, a bot, the rank, the real name."""
        bob = come(self.world, "bob", rooms=["den"])
        bob.say("AWAY :tea", "MODE bob +B")
        self.alice.say("JOIN #den")
        self.assertEqual(
            self.ask("WHO #den"),
            [
                f"352 #den ~alice {HOST} irc.chatroom alice H :0 alice",
                f"352 #den ~bob {HOST} irc.chatroom bob GB@ :0 bob",
                "315 #den :That is everybody.",
            ],
        )

    def test_name_and_mask(self) -> None:
        """Somebody by name, or all whom a mask matches, but for those who want to be found by nobody."""
        come(self.world, "bob")
        come(self.world, "bobby").say("MODE bobby +i")
        bea = come(self.world, "bea", rooms=["lobby"])
        bea.say("MODE bea +i")
        self.assertEqual([line.split(" ")[5] for line in self.ask("WHO bob")[:-1]], ["bob"])
        self.assertEqual([line.split(" ")[5] for line in self.ask("WHO b*")[:-1]], ["bob", "bea"])
        self.assertEqual([line.split(" ")[5] for line in self.ask("WHO *!*@*.ip")[:-1]], ["alice", "bob", "bea"])
        self.assertEqual(self.ask("WHO nobody"), ["315 nobody :That is everybody."])
        self.assertEqual(self.ask("WHO"), ["461 WHO :More parameters are needed."])

    def test_whox(self) -> None:
        """Fields in IRC's order, whatever order they are asked for in, with the token; an address only of oneself."""
        come(self.world, "bob")
        self.assertEqual(self.ask("WHO bob %tnuhrfa,42")[0], f"354 42 ~bob {HOST} bob H 0 bob")
        self.assertEqual(self.ask("WHO bob %in")[0], "354 255.255.255.255 bob")

    def test_other_doors(self) -> None:
        """People at telnet and programs are found like any other."""
        PlainPeer(self.world).say("tess")
        self.assertEqual(self.ask("WHO tess")[0], f"352 * ~plain {HOST} irc.chatroom tess H :0 ")


class WhoisTests(AskingCase):
    def test_whois(self) -> None:
        """Who somebody is, in which rooms with which rank, since when, and how long nothing was said."""
        bob = come(self.world, "bob", rooms=["den", "lobby"])
        bob.say("AWAY :tea", "MODE bob +B", "PRIVMSG #den :hi")
        self.world.pass_seconds(70)
        self.assertEqual(
            [line.rpartition(" :")[0] if " 317 " in f" {line}" else line for line in self.ask("WHOIS bob")],
            [
                f"311 bob ~bob {HOST} * :bob",
                "319 bob :@#den #lobby",
                "312 bob irc.chatroom :the chatroom",
                "301 bob :tea",
                "335 bob :is a bot",
                f"317 bob 70 {int(self.since('bob'))}",
                "318 bob :That is all.",
            ],
        )

    def since(self, name: str) -> float:
        profile = self.world.hub.people.profile(name)
        assert profile is not None
        return profile.since / 1000

    def test_hidden_rooms(self) -> None:
        """Of a hidden room those alone are told who are in it."""
        bob = come(self.world, "bob", rooms=["den"])
        bob.say("MODE #den +s")
        self.assertFalse([line for line in self.ask("WHOIS bob") if "#den" in line])

    def test_nobody(self) -> None:
        """Somebody who is not here: 401, and the end all the same."""
        told = ["401 eve :There is nobody here called eve.", "318 eve :That is all."]
        self.assertEqual(self.ask("WHOIS eve"), told)
        self.assertEqual(self.ask("WHOIS irc.chatroom eve"), told)

    def test_ison_of_many(self) -> None:
        """As many names as a line has are asked for."""
        names = " ".join(f"no{number}" for number in range(60))
        self.assertEqual(self.ask(f"ISON :{names} alice"), ["303 :alice"])

    def test_whowas(self) -> None:
        """Who had a name and is gone; of somebody who never was, 406."""
        bob = come(self.world, "bob")
        bob.say("QUIT")
        self.world.pass_seconds(9)
        told = self.ask("WHOWAS BOB")
        self.assertEqual(told[0], f"314 bob ~bob {HOST} * :bob")
        self.assertIn("312 bob irc.chatroom :left 9 s ago", told)
        self.assertEqual(told[-1], "369 BOB :That is all.")
        self.assertEqual(self.ask("WHOWAS eve")[0], "406 eve :Nobody of that name was here lately.")

    def test_ison_and_userhost(self) -> None:
        """Which of some names are here, and as whom."""
        come(self.world, "bob").say("AWAY :tea")
        self.assertEqual(self.ask("ISON bob eve Alice"), ["303 :bob alice"])
        told = f"302 :bob=-~bob@{HOST} alice=+~alice@{HOST}"
        self.assertEqual(self.ask("USERHOST bob eve alice"), [told])


class ServerTests(AskingCase):
    def test_about_the_server(self) -> None:
        """What the server says of itself, each with its numerics."""
        for command, numbers in (
            ("LUSERS", ["251", "253", "254", "255", "265", "266"]),
            ("MOTD", ["422"]),
            ("VERSION", ["351"]),
            ("TIME", ["391"]),
            ("INFO", ["371", "371", "374"]),
            ("ADMIN", ["256", "257", "258", "259"]),
            ("STATS u", ["242", "219"]),
            ("STATS x", ["219"]),
            ("LINKS", ["364", "365"]),
            ("HELP", ["704", "705", "705", "706"]),
            ("KNOCK #x", ["421"]),
            ("HELP join", ["704", "705", "706"]),
            ("HELP knitting", ["524"]),
            ("MOTD irc.chatroom", ["422"]),
            ("VERSION irc.*", ["351"]),
            ("TIME elsewhere", ["402"]),
            ("MOTD elsewhere", ["402"]),
        ):
            told = [line.split(" ")[0] for line in self.ask(command)]
            self.assertEqual([number for number in told if number != "252"], numbers, command)

    def test_away(self) -> None:
        """Who is away is told so, and whoever says something to it; the reason has at most 200 bytes."""
        self.assertEqual(self.ask("AWAY :tea"), ["306 :You are shown as away."])
        bob = come(self.world, "bob")
        self.assertEqual(self.ask("PRIVMSG alice :hi", of=bob), ["301 alice :tea"])
        self.assertEqual(self.ask("NOTICE alice :hi", of=bob), [])
        self.assertEqual(self.ask("AWAY"), ["305 :You are not shown as away any more."])
        self.ask(f"AWAY :{'ä' * 150}")
        self.assertEqual(self.ask("PRIVMSG alice :hi", of=bob), [f"301 alice :{'ä' * 100}"])

    def test_no_name(self) -> None:
        """What can be nobody's name is nobody that is here."""
        self.alice.say("JOIN #den")
        for command in ("PRIVMSG a*b :x", "INVITE a*b #den", "KICK #den a*b", "MODE #den +o a*b"):
            self.assertEqual(self.ask(command)[0].split(" ")[:2], ["401", "a*b"], command)

    def test_labelled(self) -> None:
        """An answer of several lines is a batch with the label; one of one line bears it; none is an ACK."""
        bob = come(self.world, "bob", "batch", "labeled-response")
        told = self.ask("@label=x WHO bob", of=bob)
        reference = told[0].split(" ")[3].removeprefix("+")
        self.assertEqual(told[0], f"@label=x {SERVER} BATCH +{reference} labeled-response")
        self.assertTrue(all(line.startswith(f"@batch={reference} ") for line in told[1:-1]), told)
        self.assertEqual(told[-1], f"BATCH -{reference}")
        self.assertEqual(len(told), 4)
        self.assertEqual(self.ask("@label=y ISON eve", of=bob), [f"@label=y {SERVER} 303 bob :"])
        self.assertEqual(self.ask("@label=z PONG x", of=bob), [f"@label=z {SERVER} ACK"])
        bob.say("JOIN #den")
        self.assertEqual(self.ask("@label=j JOIN #den", of=bob), [f"@label=j {SERVER} ACK"])
        told = self.ask("@label=k JOIN den,#hut", of=bob)
        self.assertTrue(told[0].startswith("@label=k "), told)
        self.assertTrue(told[1].startswith("@batch=answer "), told)
        self.assertIn(" 403 ", told[1])
        self.assertEqual(told[-1], "BATCH -answer")
