"""Connecting: from a first line to a welcome, at a port of IRC's and at one for everybody."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, Settings, World
from tests.irc.client import IrcClient, come
from twistedchat.doors.channel import Pace


def numbers(lines: list[str]) -> list[str]:
    """The commands of lines of the server."""
    return [line.split(" ")[1] for line in lines]


class ConnectingCase(SynchronousTestCase):
    """A server."""

    settings = Settings(pace=Pace(0, 1), motd=("Be kind.",), irc_ports=("6667", "6697"))

    @override
    def setUp(self) -> None:
        self.world = World(settings=self.settings)
        self.addCleanup(self.world.close)

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def client(self, *lines: str) -> IrcClient:
        """A client that has sent these lines."""
        client = IrcClient(self.world)
        client.say(*lines)
        return client

    def person(self, *lines: str) -> PlainPeer:
        """Somebody at the port for everybody."""
        peer = PlainPeer(self.world)
        peer.say(*lines)
        return peer


class RegisteringTests(ConnectingCase):
    def test_welcome(self) -> None:
        """NICK and USER are enough; nothing is said before, and the welcome is whole."""
        client = self.client("NICK alice")
        self.assertEqual(client.news(), [])
        client.say("USER alice 0 * :Alice")
        news = client.news()
        expected = ["001", "002", "003", "004", "005", "005", "005"]
        expected += ["251", "253", "254", "255", "265", "266", "375", "372", "376"]
        self.assertEqual(numbers(news), expected)
        self.assertEqual(news[0], ":irc.chatroom 001 alice :Welcome to the chatroom, alice")
        self.assertEqual(news[-2], ":irc.chatroom 372 alice :- Be kind.")

    def test_support(self) -> None:
        """What is told of the server has at most thirteen words a line, and the title with its space."""
        lines = [line for line in self.client("NICK a", "USER a 0 * :A").news() if " 005 " in line]
        words = [line.partition(" :")[0].split(" ")[3:] for line in lines]
        self.assertLessEqual(max(map(len, words)), 13)
        self.assertTrue(any(r"NETWORK=the\x20chatroom" in line for line in words))

    def test_waits_for_end(self) -> None:
        """Whoever has asked for capabilities is registered at CAP END."""
        client = self.client("CAP LS 302", "NICK alice", "USER alice 0 * :Alice")
        self.assertEqual(numbers(client.news()), ["CAP"])
        client.say("CAP REQ :batch server-time", "CAP REQ :batch nonsense", "CAP LIST", "CAP END")
        news = client.news()
        self.assertEqual(news[0], ":irc.chatroom CAP alice ACK :batch server-time")
        self.assertEqual(news[1], ":irc.chatroom CAP alice NAK :batch nonsense")
        self.assertEqual(news[2], ":irc.chatroom CAP alice LIST :batch cap-notify server-time")
        self.assertEqual(numbers(news)[3], "001")

    def test_capabilities(self) -> None:
        """They are listed with their values for version 302, else without."""
        [line] = self.client("CAP LS 302").news()
        self.assertIn(" draft/multiline=max-bytes=4096,max-lines=100 ", line)
        [line] = self.client("CAP LS").news()
        self.assertIn(" draft/multiline ", line)

    def test_refused_name(self) -> None:
        """A name that can't be had leaves the connection open for another one."""
        come(self.world, "bob")
        client = self.client("NICK", "NICK Bob", "USER x 0 * :X", "NICK #no", "NICK NickServ", "NICK carol")
        self.assertEqual(numbers(client.news())[:5], ["431", "433", "432", "432", "001"])
        self.assertEqual(self.world.hub.people.count(), 2)

    def test_kept_spelling(self) -> None:
        """001 tells the name as it is kept."""
        client = self.client("NICK a\u030aake", "USER x 0 * :X")
        self.assertIn(" 001 åake ", client.news()[0])

    def test_user(self) -> None:
        """Of the user name ten letters, digits and marks stay."""
        watcher = come(self.world, "bob", rooms=["den"])
        for given, kept in [("~Ali.ce-is_so-long", "Ali.ce-is_"), ("éé", "user")]:
            client = self.client("NICK alice", f"USER {given} 0 * :A", "JOIN #den", "PRIVMSG #den :hi", "QUIT")
            self.world.pass_seconds(5)
            self.assertTrue(client.over)
            [line] = [line for line in watcher.news() if "PRIVMSG" in line]
            self.assertRegex(line, rf"^:alice!~{kept}@[a-z0-9]{{10}}\.ip PRIVMSG")

    def test_too_early(self) -> None:
        """What can be asked for only with a name is answered by 451; USER afterwards by 462."""
        client = self.client("JOIN #den", "PING x", "USER a 0 *", "NICK a", "USER a 0 * :A")
        self.assertEqual(numbers(client.news())[:4], ["451", "PONG", "461", "001"])
        client.say("USER a 0 * :A", "PASS word", "NONSENSE", "JOIN", "")
        self.assertEqual(numbers(client.news()), ["462", "462", "421", "461"])

    def test_login_timeout(self) -> None:
        """Who does not register in time is told so."""
        client = self.client("CAP LS 302", "NICK alice", "USER a 0 * :A")
        self.world.pass_seconds(self.settings.login_seconds + 5)
        self.assertTrue(client.over)
        self.assertEqual(client.news()[-1], "ERROR :Closing link: You gave no name in time")

    def test_change_of_name(self) -> None:
        """A new name is told to the client; one that can't be had is refused."""
        client = come(self.world, "alice", rooms=["den"])
        come(self.world, "bob")
        client.say("NICK bob", "NICK Alicia")
        refused, told = client.news()
        self.assertIn(" 433 alice bob ", refused)
        self.assertRegex(told, r"^:alice!~alice@\S+ NICK :?Alicia$")


class PortTests(ConnectingCase):
    def test_first_line(self) -> None:
        """At a port for everybody CAP LS and PASS open IRC, in any case."""
        for first in ("CAP LS 302", "cap ls", "PASS a word", "pass x"):
            peer = self.person(first, "NICK alice", "USER a 0 * :A", "CAP END")
            self.assertTrue(peer.heard(" 001 alice "), first)
            peer.close()
            self.world.pass_seconds(1)

    def test_cut_anywhere(self) -> None:
        """However the first segment was cut, it is the same."""
        data = b"CAP LS 302\r\nNICK alice\r\nUSER a 0 * :A\r\nCAP END\r\nJOIN #den\r\n"
        for cut in range(len(data)):
            peer = PlainPeer(self.world)
            peer.send(data[:cut])
            peer.send(data[cut:])
            self.world.pass_seconds(0.1)
            self.assertTrue(peer.heard(" 366 alice #den "), cut)
            peer.close()
            self.world.pass_seconds(1)

    def test_names_stay_refused(self) -> None:
        """NICK and USER are names there that are refused; the sentence names the port for IRC, if there is one."""
        peer = self.person("nick alice", "USER a 0 * :A", "alice")
        self.assertEqual(peer.lines[3:5], ["*** IRC clients connect to port 6667 or 6697 here."] * 2)
        self.assertTrue(peer.heard("You are alice"))

    def test_names_keep(self) -> None:
        """No name is lost: who is called Cap or Pass comes in."""
        for name in ("cap", "pass", "CAPLS"):
            self.assertTrue(self.person(name).heard(f"You are {name}"), name)

    def test_only_irc(self) -> None:
        """At a port of IRC's alone everybody is a client, whatever is sent first."""
        for first in ("{", "hello", "GET / HTTP/1.1"):
            self.assertEqual(numbers(self.client(first).news()), ["451"])

    def test_tls_hello(self) -> None:
        """A client that speaks TLS to a port without it is told so."""
        client = IrcClient(self.world)
        client.send(b"\x16\x03\x01\x00\x05hello")
        self.assertIn("this port speaks no TLS", client.news()[0])

    def test_all_doors(self) -> None:
        """People of all doors are in one room."""
        ann, bob = come(self.world, "ann", rooms=["lobby"]), self.person("bob")
        carol = JsonPeer(self.world)
        carol.ask("hello", name="carol")
        carol.ask("join", room="lobby")
        self.world.pass_seconds(1)
        ann.news()
        ann.say("PRIVMSG #lobby :from irc")
        bob.say("from telnet")
        carol.ask("say", room="lobby", text="from json")
        self.world.pass_seconds(1)
        self.assertEqual(
            [line.rpartition(":")[2] for line in ann.news() if "PRIVMSG" in line], ["from telnet", "from json"]
        )
        self.assertTrue(bob.heard("ann: from irc"))
        self.assertEqual([event["text"] for event in carol.events("lobby")], ["from irc", "from telnet", "from json"])


class FullTests(ConnectingCase):
    settings = Settings(pace=Pace(0, 1), max_connections=1)

    def test_full(self) -> None:
        """Who finds no place is told so, as an IRC client is told."""
        come(self.world, "ann")
        expected = "ERROR :Closing link: The server is full. Please try again later"
        late = IrcClient(self.world)
        self.assertEqual(late.news(), [expected])
        peer = self.person("CAP LS 302")
        self.assertEqual(peer.lines[-1], expected)
