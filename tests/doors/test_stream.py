from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, Peer, PlainPeer, World
from twistedchat.doors.channel import REQUESTS_A_TURN, Farewell, Pace
from twistedchat.doors.port import FULL_SECONDS, Settings
from twistedchat.doors.stream import CLOSE_SECONDS, MAX_LINE_BYTES
from twistedchat.writer import Writer

STOPPING = Farewell("stopping", "The server is stopping. Goodbye.")


class LineTestCase(SynchronousTestCase):
    settings = Settings(pace=Pace(0, 1))

    @override
    def setUp(self) -> None:
        self.world = World(settings=self.settings)
        self.addCleanup(self.world.close)

    def connect(self, name: str = "", *, buffer_bytes: int = 10**7) -> PlainPeer:
        peer = PlainPeer(self.world, buffer_bytes=buffer_bytes)
        if name:
            peer.say(name)
        return peer

    def said(self) -> list[str]:
        return [event.text for event in self.world.held.log.get("lobby", [])]

    def expect_closed(self, peer: Peer, sentence: str) -> None:
        """The peer was told why, in one line, and the connection is closed."""
        self.assertIn(sentence, peer.lines[-1])
        self.assertTrue(peer.over)


class LinesTests(LineTestCase):
    def test_line_ends(self) -> None:
        """LF, CR LF and CR NUL end a line; a bare CR does only from a peer that has sent an IAC."""
        for sent in (b"ann\na\r\nb\r\0c\rd\n", b"bob\n\xff\xf1a\r\nb\r\0c\rd\r"):
            self.connect().send(sent)
        self.assertEqual(self.said(), ["a", "b", "c\rd", "a", "b", "c", "d"])

    def test_cut_anywhere(self) -> None:
        """The lines do not depend on the segments."""
        ann = self.connect()
        for byte in "ann\r\nhello 日本\r\n\xfffd\r\n".encode():
            ann.send(bytes([byte]))
        self.assertEqual(self.said(), ["hello 日本", "ÿfd"])

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 become U+FFFD."""
        self.connect("ann").send(b"caf\xe9 \xc3(\n")
        self.assertEqual(self.said(), ["caf� �("])

    def test_too_long(self) -> None:
        """A line over the limit is refused once and thrown away to its end, and the connection stays."""
        ann = self.connect("ann")
        for _ in range(4):
            ann.send(b"x" * MAX_LINE_BYTES)
        ann.say("", "hello")
        self.assertEqual(sum("too long" in line for line in ann.lines), 1)
        self.assertEqual(self.said(), ["hello"])

    def test_telnet(self) -> None:
        """A telnet peer is answered what it waits for; a peer that has sent no IAC is sent none."""
        ann, bob = self.connect("ann"), self.connect("bob")
        ann.send(b"\xff\xfd\x06\xff\xf6")
        self.assertIn(b"\xff\xfd\x00", ann.received)
        self.assertTrue(ann.received.endswith(b"\xff\xfc\x06*** Yes, I am here.\r\n"))
        self.assertNotIn(b"\xff", bob.received)

    def test_many_commands_in_little_time(self) -> None:
        """Telnet commands without a line count as lines: whoever sends only them is slowed, and then heard."""
        ann = self.connect("ann")
        ann.send(b"\xff\xf1" * 50_000 + b"hello\n")
        self.assertEqual(self.said(), ["hello"])


class StrangerTests(LineTestCase):
    settings = Settings(pace=Pace(0, 1), login_seconds=5, max_connections=3)

    def test_no_name_in_time(self) -> None:
        """Whoever gives no name in time is told so; a peer that has one stays, and so does one that was refused one."""
        mute, ann, slow = self.connect(), self.connect("ann"), self.connect()
        slow.say("ann", "/help")
        self.world.pass_seconds(4)
        slow.say("bob")
        self.world.pass_seconds(2)
        self.expect_closed(mute, "You gave no name in time. Goodbye.")
        self.assertFalse(ann.over or slow.over)

    def test_program_gives_no_name(self) -> None:
        """A program is told in its own way."""
        program = JsonPeer(self.world)
        program.ask("hello", name="")
        self.world.pass_seconds(6)
        self.expect_closed(program, '{"type":"closing","code":"no-name","text":"You gave no name in time. Goodbye."}')

    def test_browser(self) -> None:
        """An HTTP request is told what this port is, and the connection closed, whatever follows."""
        browser = self.connect()
        browser.send(b"POST /login HTTP/1.1\r\nHost: here\r\n\r\nname=ann")
        self.expect_closed(browser, "This is a chat room, not a web server")
        self.assertEqual(len(browser.lines), 3)

    def test_tls(self) -> None:
        """So is a TLS hello."""
        client = self.connect()
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.expect_closed(client, "this port speaks no TLS")

    def test_speaks_of_http(self) -> None:
        """Whoever has a name may say what looks like a request."""
        self.connect("ann").say("GET / HTTP/1.1")
        self.assertEqual(self.said(), ["GET / HTTP/1.1"])

    def test_full_house(self) -> None:
        """Beyond the limit whoever connects is told to try later; when somebody leaves there is a place again."""
        first = [self.connect(f"p{number}") for number in range(3)]
        mute, person = self.connect(), self.connect("ann")
        for stranger in (mute, person):
            self.world.pass_seconds(FULL_SECONDS)
            self.expect_closed(stranger, "*** The server is full. Please try again later.")
        program = JsonPeer(self.world)
        program.send(b'{"op":"hello","name":"bot"}\n')
        self.expect_closed(
            program, '{"type":"closing","code":"full","text":"The server is full. Please try again later."}'
        )
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])
        first[0].close()
        self.assertFalse(self.connect().over)


class EndTests(LineTestCase):
    def test_half_close(self) -> None:
        """After the end of the input every line is said, every answer and own line shown, and then it closes."""
        bot = self.connect()
        self.world.held.holding = True
        bot.send(b"bot\nhello\n/ping\nno line end")
        bot.end()
        self.assertFalse(bot.over)
        self.world.held.release()
        self.world.run()
        self.world.held.release()
        self.world.run()
        self.assertEqual([line.partition("] ")[2] for line in bot.lines[-2:]], ["bot: hello", "bot: no line end"])
        self.assertIn("*** Pong.", bot.lines)
        self.assertTrue(bot.over)

    def test_half_close_of_a_slow_reader(self) -> None:
        """It closes only when the peer has taken everything."""
        bot = self.connect(buffer_bytes=100)
        bot.stop_reading()
        bot.send(b"bot\n" + b"hello\n" * 100)
        bot.end()
        self.world.pass_seconds(1)
        self.assertFalse(bot.over)
        bot.read_again()
        self.assertEqual(sum(line.endswith("bot: hello") for line in bot.lines), 100)
        self.assertTrue(bot.over)

    def test_nothing_said(self) -> None:
        """A peer that ends without a word is let go without one."""
        peer = self.connect()
        peer.end()
        self.assertTrue(peer.over)
        self.assertEqual(len(peer.lines), 2)

    def test_gone(self) -> None:
        """However a peer goes, nothing is logged, its name is free, and no timer stays behind."""
        for leave in (Peer.close, Peer.reset, lambda peer: peer.send(b"\n/quit\n")):
            ann = self.connect("ann")
            ann.send(b"hello\nunfinished")
            leave(ann)
            self.assertTrue(ann.over)
        self.assertEqual(self.world.faults, [])
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])

    def test_server_stops(self) -> None:
        """Whoever is there when the server stops is told so, after all that was said is stored and shown."""
        self.world.held.holding = True
        ann, bot = self.connect("ann"), JsonPeer(self.world)
        bot.ask("hello", name="bot")
        ann.say("last words")
        for connection in list(self.world.factory.connections):
            connection.channel.finish(STOPPING)
        emptied = self.world.factory.emptied()
        self.assertNoResult(emptied)
        self.world.held.release()
        self.world.run()
        self.assertTrue(ann.lines[-2].endswith("ann: last words"))
        self.expect_closed(ann, "*** The server is stopping. Goodbye.")
        self.expect_closed(bot, '{"type":"closing","code":"stopping","text":"The server is stopping. Goodbye."}')
        self.successResultOf(emptied)

    def test_goodbye_arrives(self) -> None:
        """A peer that is let go while it talks is read on, so that the goodbye arrives; nothing is said."""
        ann = self.connect("ann")
        ann.stop_reading()
        for connection in list(self.world.factory.connections):
            connection.channel.finish(STOPPING)
        ann.send(b"too late\n" * 10_000)
        self.assertEqual((ann.socket.shut, ann.over, bytes(ann.socket.inbox)), (True, False, b""))
        ann.read_again()
        self.expect_closed(ann, "*** The server is stopping. Goodbye.")
        self.assertEqual((self.said(), self.world.reactor.getDelayedCalls()), ([], []))

    def test_peer_that_never_closes(self) -> None:
        """A peer that does not close when it has been told so is let go a moment later."""
        ann = self.connect("ann")
        ann.stop_reading()
        for connection in list(self.world.factory.connections):
            connection.channel.close(STOPPING)
        self.world.pass_seconds(CLOSE_SECONDS - 1)
        self.assertFalse(ann.over)
        self.world.pass_seconds(2)
        self.assertTrue(ann.over)
        self.assertEqual((self.world.faults, self.world.reactor.getDelayedCalls()), ([], []))

    def test_peer_that_never_closes_tls(self) -> None:
        """Over TLS, too."""
        ann = PlainPeer(self.world, buffer_bytes=10**7, tls=True)
        ann.say("ann")
        ann.stop_reading()
        for connection in list(self.world.factory.connections):
            connection.channel.close(STOPPING)
        self.world.pass_seconds(CLOSE_SECONDS + 1)
        self.assertTrue(ann.over)
        self.assertEqual((self.world.faults, self.world.reactor.getDelayedCalls()), ([], []))

    def test_fault_of_ours(self) -> None:
        """A fault of ours is logged, told to the peer that met it, and ends its connection alone."""
        ann, bob = self.connect("ann"), self.connect("bob")
        submit = Writer.submit
        Writer.submit = self.fail  # type: ignore[method-assign, assignment]
        ann.say("hello")
        Writer.submit = submit  # type: ignore[method-assign]
        self.expect_closed(ann, "Something went wrong here")
        bob.say("still here")
        self.assertEqual(self.said(), ["still here"])
        self.assertEqual(len(self.flushLoggedErrors()), 1)


class FloodTests(LineTestCase):
    settings = Settings(pace=Pace(10, 5))

    def test_slowed(self) -> None:
        """A flood is not read faster than the rate; no line is lost, and nobody else waits."""
        ann, bob = self.connect("ann"), self.connect("bob")
        ann.send(b"".join(b"%d\n" % number for number in range(100)))
        self.assertEqual(len(self.said()), 4)
        bob.say("hello")
        self.assertIn("hello", self.said())
        self.world.pass_seconds(20)
        self.assertEqual([text for text in self.said() if text != "hello"], [str(number) for number in range(100)])

    def test_long_lines_count_once(self) -> None:
        """A long line counts as one, in however many pieces it is cut."""
        ann = self.connect("ann")
        ann.send(b"".join(b"%d %s\n" % (number, b"x" * 4000) for number in range(4)))
        self.assertEqual([text.partition(" ")[0] for text in self.said()], ["0", "1", "2", "3"])

    def test_not_read(self) -> None:
        """While it is slowed, its transport is not read."""
        ann = self.connect("ann")
        ann.send(b"x\n" * 100)
        self.assertNotIn(ann.transport, self.world.reactor.getReaders())
        self.world.pass_seconds(20)
        self.assertIn(ann.transport, self.world.reactor.getReaders())

    def test_gone_while_slowed(self) -> None:
        """A peer that goes while it is slowed leaves nothing behind."""
        ann = self.connect("ann")
        ann.send(b"x\n" * 100)
        ann.reset()
        self.world.pass_seconds(20)
        self.assertEqual(len(self.said()), 4)
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])


class LoadTests(LineTestCase):
    def test_long_paste(self) -> None:
        """A long paste is taken in turns, in order."""
        ann = self.connect("ann")
        ann.send(b"".join(b"%d\n" % number for number in range(3 * REQUESTS_A_TURN)))
        self.assertEqual(self.said(), [str(number) for number in range(3 * REQUESTS_A_TURN)])

    def test_pipeline_full(self) -> None:
        """When all together have said too much, whoever talks is not read until it is stored; nothing is lost."""
        self.world.held.holding = True
        ann = self.connect("ann")
        for _ in range(40):
            ann.send(b"x\n" * 256)
        self.assertNotIn(ann.transport, self.world.reactor.getReaders())
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(1)
        self.assertEqual(len(self.said()), 40 * 256)

    def test_peer_that_does_not_read(self) -> None:
        """A peer that takes no answers is not heard either until it does."""
        ann = self.connect("ann", buffer_bytes=1000)
        ann.stop_reading()
        ann.send(b"/help\n" * 100)
        self.assertLess(ann.transport.held_bytes, 10_000)
        ann.read_again()
        self.assertEqual(sum(line.startswith("*** /help ") for line in ann.lines), 100)

    def test_stalled(self) -> None:
        """A peer that takes nothing for a minute is let go."""
        ann = self.connect("ann", buffer_bytes=1000)
        ann.stop_reading()
        ann.send(b"/help\n" * 100)
        self.world.pass_seconds(61)
        self.assertTrue(ann.over)
