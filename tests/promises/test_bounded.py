"""Bounded.

A client that reads slowly, or not at all, or sends too fast, costs a bounded amount of memory and delays
nobody else. A flood is slowed by not reading from it; no line that was accepted is dropped.
"""

from __future__ import annotations

import json
import resource
import socket
from typing import TYPE_CHECKING, cast

from twisted.trial.unittest import SynchronousTestCase

from tests.drafts import draft
from tests.fakes import HeldStore, JsonPeer, PlainPeer, Reactor, Transport, World
from tests.live.daemon import PATIENCE_SECONDS, Caller, Daemon, exchange, until
from twistedchat.doors.channel import Pace
from twistedchat.doors.port import Settings
from twistedchat.doors.wire import STALL_SECONDS
from twistedchat.events import Kind
from twistedchat.formats.base import PAGE_BYTES
from twistedchat.stores.memory import EVENTS_PER_ROOM
from twistedchat.writer import MAX_WAITING_LINES

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import IProtocol

FLOOD = 20_000
"""The lines of a flood: the newspaper's page that somebody pastes."""

HELD_BYTES = 1 << 20
"""Most that the server may keep for one peer: a page or a batch that the socket took a part of."""

READ_BYTES = 1 << 17
"""Most that the server may have read from a peer beyond what it says: twice what one read takes."""

MEMORY_BYTES = 64 << 20
"""Most that the process may grow by in a flood. Each of its events is in memory once at the most, and its pages
for as long as they are written: measured 11 MiB."""


def _join(world: World, name: str, room: str, *, buffer_bytes: int = 1 << 20) -> JsonPeer:
    peer = JsonPeer(world, buffer_bytes=buffer_bytes)
    peer.ask("hello", name=name)
    peer.ask("join", room=room)
    return peer


def _pasted() -> list[str]:
    return [f"{number} {'x' * 60}" for number in range(FLOOD)]


class InMemory(SynchronousTestCase):
    """What can be seen best with a clock that the test moves."""

    def world(self, *, reactor: Reactor | None = None, store: HeldStore | None = None, rate: float = 0) -> World:
        """A world that is closed after the test."""
        world = World(reactor=reactor, store=store, settings=Settings(pace=Pace(rate, 200)))
        self.addCleanup(world.close)
        return world

    def test_a_peer_that_does_not_read(self) -> None:
        """While others talk it costs no more than a page; and when it reads again it has missed nothing."""
        world = self.world()
        talks, reads = _join(world, "talks", "lobby"), _join(world, "reads", "lobby")
        stalled = [_join(world, f"stalled{number}", "lobby", buffer_bytes=4096) for number in range(3)]
        for peer in stalled:
            peer.stop_reading()
        for number in range(0, EVENTS_PER_ROOM, 100):
            for line in range(number, number + 100):
                talks.prepare("say", room="lobby", text=f"{line} {'x' * 60}")
            world.run()
            self.assertLessEqual(max(peer.transport.held_bytes for peer in stalled), HELD_BYTES)
            self.assertEqual(len(reads.events("lobby")), number + 100)
        for peer in stalled:
            peer.read_again()
            self.assertEqual(peer.events("lobby"), reads.events("lobby"))

    def test_a_peer_that_does_not_read_its_answers(self) -> None:
        """It is not read any more: what it asks for waits in its own socket."""
        store = HeldStore(Reactor().seconds)
        store.fill([draft("lobby", Kind.SAY, "ghost", "x" * 1000) for _ in range(500)])
        world = self.world(store=store)
        greedy = _join(world, "greedy", "lobby", buffer_bytes=4096)
        greedy.stop_reading()
        for _ in range(300):
            greedy.prepare("history", room="lobby", limit=500, padding="x" * 1000)
        world.run()
        self.assertLessEqual(greedy.transport.held_bytes, HELD_BYTES)
        self.assertGreater(len(greedy.socket.inbox), 300_000 - READ_BYTES)
        greedy.read_again()
        self.assertEqual(sum(message["type"] == "history" for message in greedy.messages), 300)

    def test_a_peer_that_does_not_read_its_receipts(self) -> None:
        """However many lines it says at once, and with whatever ids, it is owed little; and all are said."""
        world = self.world()
        talker = _join(world, "talker", "lobby", buffer_bytes=4096)
        world.held.holding = True
        talker.stop_reading()
        lines = 200
        for number in range(lines):
            id_ = f"{number:\U000e0001>256}"
            line = json.dumps({"op": "say", "room": "lobby", "text": "x", "id": id_}, ensure_ascii=False)
            talker.write(f"{line}\n".encode())
        world.run()
        world.held.holding = False
        world.held.release()
        world.run()
        self.assertLessEqual(talker.transport.held_bytes, 2 * PAGE_BYTES)
        talker.read_again()
        self.assertEqual(sum(message["type"] == "ok" for message in talker.messages), lines)

    def test_a_flood_is_slowed(self) -> None:
        """It is said at the rate, all of it; meanwhile the rest of it is not even read, and others are not delayed."""
        world = self.world(rate=100)
        flooder, other = PlainPeer(world), _join(world, "other", "lobby")
        flooder.say("flooder", *_pasted())
        self.assertGreater(len(flooder.socket.inbox), FLOOD * 60 - 2 * READ_BYTES)
        for second in range(10):
            asked = other.ask("say", room="lobby", text="I am not delayed")
            self.assertEqual(other.answer(asked)["type"], "ok")
            world.pass_seconds(1)
            # Settings' burst, and the rate at which tokens come.
            self.assertLessEqual(len(other.events("lobby")), (second + 1) * 101 + 201)
        for _ in range(FLOOD // 100):
            world.pass_seconds(1)
        said = [event["text"] for event in other.events("lobby") if event["who"] == "flooder"]
        self.assertEqual(said, _pasted())
        self.assertFalse(flooder.over)

    def test_a_slow_disk(self) -> None:
        """While the store takes nothing, a bounded number of lines is read; none of them is lost."""
        world = self.world()
        flooders = [PlainPeer(world) for _ in range(2)]
        reads = _join(world, "reads", "lobby")
        world.held.holding = True
        for number, flooder in enumerate(flooders):
            flooder.say(f"flooder{number}", *_pasted())
        unread = sum(len(flooder.socket.inbox) for flooder in flooders)
        most_bytes = len(f"{_pasted()[-1]}\r\n")
        self.assertGreater(unread, (2 * FLOOD - MAX_WAITING_LINES) * most_bytes - 3 * READ_BYTES)
        for _ in range(50):
            world.held.release()
            world.pass_seconds(0.1)
        for number in range(2):
            said = [event["text"] for event in reads.events("lobby") if event["who"] == f"flooder{number}"]
            self.assertEqual(said, _pasted())

    def test_a_peer_that_takes_nothing_is_let_go(self) -> None:
        """After a minute in which it takes nothing at all; not before, and not one that only takes a little."""
        world = self.world()
        talks = _join(world, "talks", "lobby")
        stalled = [_join(world, f"stalled{number}", "lobby", buffer_bytes=4096) for number in range(2)]
        for peer in stalled:
            peer.stop_reading()
        for _ in range(10):
            talks.ask("say", room="lobby", text="x" * 1000)
        world.pass_seconds(STALL_SECONDS - 1)
        self.assertEqual([peer.over for peer in stalled], [False, False])
        # A person who looks at the screen once in a while.
        stalled[1].read_again()
        stalled[1].stop_reading()
        for _ in range(10):
            talks.ask("say", room="lobby", text="x" * 1000)
        world.pass_seconds(2)
        self.assertEqual([peer.over for peer in stalled], [True, False])

    def test_a_peer_over_tls_that_says_no_farewell(self) -> None:
        """It is not waited for for ever when it has quit, nor when the server stops."""
        world = self.world()
        silent = [PlainPeer(world, tls=True) for _ in range(2)]
        for number, peer in enumerate(silent):
            peer.say(f"silent{number}")
            peer.stop_reading()
        silent[0].say("/quit")
        world.pass_seconds(2 * STALL_SECONDS)
        self.assertEqual([peer.over for peer in silent], [True, False])
        world.stop()
        self.assertTrue(silent[1].over)
        self.assertEqual(world.faults, [])

    def test_nobody_who_gives_no_name_stays(self) -> None:
        """Connections that send nothing, or half a line, are closed when the time for a name is over."""
        world = self.world()
        silent = [PlainPeer(world) for _ in range(100)]
        for peer in silent[:50]:
            peer.send(b"half a na")
        named = _join(world, "named", "lobby")
        world.pass_seconds(59)
        self.assertFalse(any(peer.over for peer in silent))
        world.pass_seconds(2)
        self.assertTrue(all(peer.over for peer in silent))
        self.assertIn("no name", silent[0].lines[-1])
        self.assertFalse(named.over)


class Slow(SynchronousTestCase):
    """A connection over loopback, because it is the kernel that knows what a slow reader takes."""

    def test_a_peer_that_takes_slowly_stays(self) -> None:
        """One that takes something each half minute is not let go, though it never takes all that waits."""
        reactor = Reactor()
        store = HeldStore(reactor.seconds)
        store.fill([draft("lobby", Kind.SAY, "ghost", "x" * 4000) for _ in range(500)])
        world = World(reactor=reactor, store=store)
        self.addCleanup(world.close)
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as far:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            far.connect(listening.getsockname())
            protocol = world.factory.buildProtocol(None)
            transport = Transport(listening.accept()[0], cast("IProtocol", protocol), reactor)
            protocol.makeConnection(transport)
            far.sendall(b'{"op":"hello","name":"slow"}\n{"op":"join","room":"lobby","after":0}\n')

            def is_behind() -> bool:
                transport.doRead()
                reactor.advance(0)
                return bool(transport.held_bytes)

            until(is_behind, "more waits than it takes")
            for _ in range(10):
                self._take(far, transport, 1 << 16)
                reactor.advance(STALL_SECONDS / 2)
                self.assertTrue(transport.connected)
            self.assertTrue(transport.held_bytes)
            # What it took since the last look counts once more.
            reactor.advance(STALL_SECONDS)
            reactor.advance(STALL_SECONDS)
            self.assertFalse(transport.connected)

    def _take(self, far: socket.socket, transport: Transport, size: int) -> None:
        """Take so many bytes, while the server's end sends what it can."""
        far.settimeout(PATIENCE_SECONDS)
        taken = 0
        while taken < size:
            taken += len(far.recv(4096))
            transport.doWrite()


def test_a_flood_and_readers_that_take_nothing(tmp_path: Path) -> None:
    """A daemon's memory stays bounded, another room hears nothing of it, and whoever reads gets every line."""
    with Daemon(tmp_path, "--rate=0") as daemon:
        reader = daemon.program("reader")
        reader.call("join", room="lobby")
        late = daemon.program("late", buffer_bytes=4096)
        late.call("join", room="lobby")
        stalled: list[Caller] = [late]
        for number in range(20):
            caller = daemon.caller(buffer_bytes=4096)
            caller.say(f"stalled{number}")
            exchange([caller], lambda caller=caller: caller.heard("You are "), "it has come in")  # type: ignore[misc]
            stalled.append(caller)
        for caller in stalled:
            caller.reading = False
        pair = [daemon.program(name) for name in ("ann", "bob")]
        for program in pair:
            program.call("join", room="den")
        before = daemon.rss_bytes
        flooder = daemon.caller()
        flooder.say("flooder", *_pasted())
        asked: list[int] = []

        def flooded() -> bool:
            if len(pair[1].events("den")) == len(asked):
                asked.append(pair[0].ask("say", room="den", text=str(len(asked))))
            return len(reader.events("lobby")) == FLOOD

        exchange([flooder, reader, *pair], flooded, "the flood has been shown")
        grown = daemon.rss_bytes - before
        exchange(pair, lambda: len(pair[1].events("den")) == len(asked), "the other room is shown")
        late.reading = True
        exchange([late], lambda: len(late.events("lobby")) == FLOOD, "it has caught up")
    assert grown < MEMORY_BYTES
    assert [event["text"] for event in reader.events("lobby")] == _pasted()
    assert [event["text"] for event in late.events("lobby")] == _pasted()
    assert [event["text"] for event in pair[1].events("den")] == [str(number) for number in range(len(asked))]
    assert len(asked) > 3


def test_a_flood_at_the_default_rate(tmp_path: Path) -> None:
    """Somebody who pastes 20,000 lines is slowed, not let go, and delays nobody."""
    with Daemon(tmp_path) as daemon:
        reader = daemon.program("reader")
        reader.call("join", room="lobby")
        flooder = daemon.caller()
        flooder.say("flooder", *_pasted())
        everybody = [flooder, reader]
        exchange(everybody, lambda: len(reader.events("lobby")) >= 200, "its burst is said")
        assert reader.call("say", room="lobby", text="I am not delayed")["type"] == "ok"
        exchange(everybody, lambda: len(reader.events("lobby")) >= 220, "it goes on")
        said = [event["text"] for event in reader.events("lobby") if event["who"] == "flooder"]
        assert said == _pasted()[: len(said)]
        assert len(said) < 2000
        assert not flooder.over


def test_thousands_that_say_nothing(tmp_path: Path) -> None:
    """Connections that send nothing are closed at the login time-out; who has a name stays and can talk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with Daemon(tmp_path, "--login-timeout=1") as daemon:
            talks = daemon.program("talks")
            talks.call("join", room="lobby")
            silent = [daemon.caller() for _ in range(min(3000, hard - 200))]
            assert talks.call("say", room="lobby", text="hi")["type"] == "ok"
            exchange(silent, lambda: all(caller.over for caller in silent), "all are closed")
            assert talks.call("say", room="lobby", text="still here")["type"] == "ok"
            assert all("no name" in caller.lines[-1] for caller in silent)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
