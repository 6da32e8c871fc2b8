from __future__ import annotations

import json
import math

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.client.fakes import FakeServer, connect
from twistedchat.client.pipe import MAX_UNSTORED, NOT_STORED_AGAIN_SECONDS, PATIENCE_SECONDS, Pipe


class FakeStream:
    """Standard input and output, kept."""

    def __init__(self) -> None:
        self.written = ""
        self.paused = False

    def write(self, text: str) -> None:
        self.written += text

    def pause_input(self) -> None:
        self.paused = True

    def resume_input(self) -> None:
        self.paused = False


class PipeTests(SynchronousTestCase):
    def make(self, *, as_json: bool = False, wait_seconds: float = 0.0) -> Pipe:
        self.server, self.clock, self.stream = FakeServer(), Clock(), FakeStream()
        self.pipe = Pipe(self.clock, "bot", as_json=as_json, wait_seconds=wait_seconds)
        self.pipe.stream = self.stream
        self.pipe.room = self.pipe.conversation.join("lobby")
        connect(self.server, self.pipe.conversation, self.clock)
        return self.pipe

    def test_says_and_waits(self) -> None:
        """It is done when the last line is stored, not before."""
        pipe = self.make()
        pipe.typed("/not a command")
        pipe.typed("two")
        pipe.ended()
        self.clock.advance(0)
        assert not pipe.done.called
        self.server.run()
        assert pipe.done.called
        assert [event.text for event in self.server.logs["lobby"]] == ["/not a command", "two"]
        assert pipe.trouble == ""
        assert self.clock.getDelayedCalls()[1:] == []

    def test_plain_output(self) -> None:
        """What happens is written as plain lines."""
        self.make()
        self.server.say("hi\x1b[2J")
        assert "bob: hi␛[2J\n" in self.stream.written

    def test_json_output(self) -> None:
        """Or as it is on the wire, and nothing else."""
        self.make(as_json=True)
        self.server.say("hi")
        self.server.peer.send(type="presence", room="lobby", joined=["x"], left=[], renamed=[], count=3)
        (line,) = self.stream.written.splitlines()
        assert json.loads(line)["text"] == "hi"

    def test_stays(self) -> None:
        """With a time to wait it stays so long after the end of the input."""
        pipe = self.make(wait_seconds=5)
        pipe.ended()
        self.clock.advance(4.9)
        assert not pipe.done.called
        self.clock.advance(0.1)
        assert pipe.done.called

    def test_stays_for_ever(self) -> None:
        """Or until it is interrupted."""
        pipe = self.make(wait_seconds=math.inf)
        pipe.ended()
        self.clock.pump([10, 1000])
        assert not pipe.done.called
        pipe.interrupt()
        assert pipe.done.called
        assert pipe.trouble == ""

    def test_input_waits_for_the_server(self) -> None:
        """However much comes in, only so much is said ahead."""
        pipe = self.make()
        for number in range(MAX_UNSTORED):
            assert not self.stream.paused
            pipe.typed(str(number))
        assert self.stream.paused
        self.server.run()
        assert not self.stream.paused

    def test_lines_survive_a_lost_server(self) -> None:
        """A lost server is waited for."""
        pipe = self.make()
        self.server.lose()
        pipe.typed("hi")
        pipe.ended()
        self.clock.advance(1)
        self.server.run()
        assert pipe.done.called
        assert pipe.trouble == ""

    def test_patience_ends(self) -> None:
        """But not for ever, and then it says so."""
        pipe = self.make()
        self.server.lose()
        self.server.down = True
        pipe.typed("hi")
        pipe.ended()
        for _ in range(int(PATIENCE_SECONDS)):
            self.clock.advance(1)
        assert pipe.done.called
        assert pipe.trouble == "1 line was not stored: the server does not answer."

    def test_a_full_disk_is_waited_for(self) -> None:
        """A line that can't be stored now is said again."""
        pipe = self.make()
        self.server.failing = True
        pipe.typed("hi")
        pipe.ended()
        self.server.run()
        self.server.failing = False
        self.clock.advance(NOT_STORED_AGAIN_SECONDS)
        self.server.run()
        assert pipe.done.called
        assert pipe.trouble == ""

    def test_closed_output(self) -> None:
        """When nobody reads any more, what came in is stored, and that is all."""
        pipe = self.make(wait_seconds=math.inf)
        pipe.typed("hi")
        pipe.closed()
        assert not pipe.done.called
        self.server.run()
        assert pipe.done.called

    def test_a_closed_room(self) -> None:
        """A room that does not let us in is trouble."""
        pipe = self.make()
        pipe.room = pipe.conversation.join("closed")
        self.server.run()
        assert pipe.done.called
        assert pipe.trouble == "#closed is closed."
