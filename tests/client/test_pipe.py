from __future__ import annotations

import json
import math

from twisted.trial.unittest import SynchronousTestCase

from tests.client.fakes import Output
from tests.client.world import ClientWorld
from twistedchat.client.outbox import RESEND_SECONDS
from twistedchat.client.pipe import MAX_UNSTORED, PATIENCE_SECONDS, Pipe


class PipeTests(SynchronousTestCase):
    def make(self, *, as_json: bool = False, wait_seconds: float = 0.0) -> Pipe:
        self.server, self.stream = ClientWorld(), Output()
        self.addCleanup(self.server.close)
        self.pipe = Pipe(self.server.reactor, "bot", as_json=as_json, wait_seconds=wait_seconds)
        self.pipe.stream = self.stream
        self.pipe.room = self.pipe.conversation.join("lobby")
        self.server.open(self.pipe.conversation)
        return self.pipe

    def test_says_and_waits(self) -> None:
        """It is done when the last line is stored, not before."""
        pipe = self.make()
        pipe.typed("/not a command")
        pipe.typed("two")
        pipe.ended()
        assert not pipe.done.called
        self.server.run()
        assert pipe.done.called
        assert [event.text for event in self.server.log()] == ["/not a command", "two"]
        assert pipe.trouble == ""

    def test_plain_output(self) -> None:
        """What happens is written as plain lines."""
        self.make()
        self.server.say("hi\x1b[2J")
        assert "bob: hi␛[2J\n" in self.stream.written

    def test_json_output(self) -> None:
        """Or as it is on the wire, and nothing else."""
        self.make(as_json=True)
        self.server.say("hi")
        self.server.person("x")
        self.server.pass_seconds(1)
        (line,) = self.stream.written.splitlines()
        assert json.loads(line)["text"] == "hi"

    def test_stays(self) -> None:
        """With a time to wait it stays so long after the end of the input."""
        pipe = self.make(wait_seconds=5)
        pipe.ended()
        self.server.pass_seconds(4.9)
        assert not pipe.done.called
        self.server.pass_seconds(0.1)
        assert pipe.done.called

    def test_stays_for_ever(self) -> None:
        """Or until it is interrupted."""
        pipe = self.make(wait_seconds=math.inf)
        pipe.ended()
        self.server.pass_seconds(1000)
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
        self.server.pass_seconds(1)
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
        self.server.pass_seconds(PATIENCE_SECONDS)
        assert pipe.done.called
        assert pipe.trouble == "1 line was not stored: the server does not answer."

    def test_a_full_disk_is_waited_for(self) -> None:
        """A line that can't be stored now is said again."""
        pipe = self.make()
        self.server.break_disk()
        pipe.typed("hi")
        pipe.ended()
        self.server.run()
        self.server.mend_disk()
        self.server.pass_seconds(RESEND_SECONDS)
        self.server.run()
        assert pipe.done.called
        assert pipe.trouble == ""

    def test_a_full_disk_keeps_the_order(self) -> None:
        """Lines that come while nothing can be stored are said behind those that wait."""
        pipe = self.make()
        self.server.break_disk()
        pipe.typed("a")
        pipe.typed("b")
        self.server.run()
        self.server.mend_disk()
        pipe.typed("c")
        self.server.run()
        pipe.typed("d")
        pipe.ended()
        self.server.pass_seconds(10)
        assert [event.text for event in self.server.log()] == ["a", "b", "c", "d"]
        assert pipe.done.called
        assert pipe.trouble == ""

    def test_a_disk_that_stays_full(self) -> None:
        """After a while the pipe gives up, and says why."""
        pipe = self.make()
        self.server.break_disk()
        pipe.typed("a")
        pipe.ended()
        self.server.pass_seconds(2 * PATIENCE_SECONDS)
        assert pipe.done.called
        assert pipe.trouble.startswith("1 line was not stored: ")
        assert "does not answer" not in pipe.trouble

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
        pipe.room = pipe.conversation.join("a b")
        self.server.run()
        assert pipe.done.called
        assert "can't stand in the name of a room" in pipe.trouble
