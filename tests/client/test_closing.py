"""What a newer server says, against a scripted transport."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import Output, Script
from twistedchat.client.connection import FAULT_SECONDS
from twistedchat.client.controller import Controller
from twistedchat.client.conversation import Conversation
from twistedchat.client.notifications import Connected, LogReset, Notification, Retrying, Stopped
from twistedchat.client.terminal import PlainTerminal
from twistedchat.events import Event


class ClosingTests(SynchronousTestCase):
    """Why the server closes the connection, and when the client comes back."""

    @override
    def setUp(self) -> None:
        self.notified: list[Notification] = []
        self.script, self.clock = Script(), Clock()
        self.conversation = Conversation("alice", self.notified.append)
        self.script.open(self.conversation, self.clock)
        self.script.transport.welcome()

    def connections(self) -> int:
        return len(self.script.transports)

    def test_comes_back(self) -> None:
        """After a server that stops, is full or has waited for a name the client comes back, by its usual delays."""
        for code in ("stopping", "full", "no-name", "something-new"):
            with self.subTest(code=code):
                before = self.connections()
                self.script.transport.closing(code, "Goodbye.")
                last = self.notified[-1]
                assert isinstance(last, Retrying)
                assert (last.seconds, last.error.code, last.error.text) == (1, code, "Goodbye.")
                self.clock.advance(1)
                assert self.connections() == before + 1
                self.script.transport.welcome()
                assert isinstance(self.notified[-1], Connected)

    def test_full_again(self) -> None:
        """A server that is full before the welcome says why, and is tried again."""
        self.script.transport.lose()
        self.clock.advance(1)
        self.script.transport.closing("full", "The server is full.")
        assert isinstance(last := self.notified[-1], Retrying)
        assert last.error.text == "The server is full."
        self.clock.advance(1)
        assert self.connections() == 3

    def test_without_a_code(self) -> None:
        """An older server gives a text alone."""
        self.script.transport.send(type="closing", text="The server stops.")
        self.script.transport.lose()
        assert isinstance(last := self.notified[-1], Retrying)
        assert last.error.text == "The server stops."

    def test_taken_over(self) -> None:
        """Whose session another connection has taken up does not come back by itself."""
        self.script.transport.closing("taken-over", "Another connection has taken your session up.")
        assert isinstance(last := self.notified[-1], Stopped)
        assert last.error.text == "Another connection has taken your session up."
        self.clock.advance(1000)
        assert self.connections() == 1

    def test_a_fault(self) -> None:
        """After a fault in the server the client comes back a little later."""
        self.script.transport.closing("fault", "The server made a mistake.")
        self.clock.advance(FAULT_SECONDS - 0.1)
        assert self.connections() == 1
        self.clock.advance(0.1)
        assert self.connections() == 2

    def test_a_name_that_will_be_free(self) -> None:
        """A name that a lost session holds is tried again when it is free."""
        self.script.transport.lose()
        self.clock.advance(1)
        self.script.transport.answer(type="error", code="name-taken", text="alice is free in 42 s.", free_in=42)
        assert isinstance(last := self.notified[-1], Retrying)
        assert last.seconds == 42
        self.clock.advance(42)
        assert self.connections() == 3

    def test_a_wrong_time(self) -> None:
        """What is no such time is ignored, and a long one is cut short."""
        for free_in, seconds in (("soon", 1), (-5, 1), (1e300, 60), (True, 1)):
            with self.subTest(free_in=free_in):
                self.script.transport.lose()
                self.clock.advance(60)
                self.script.transport.answer(type="error", code="name-taken", text="No.", free_in=free_in)
                assert isinstance(last := self.notified[-1], Retrying)
                assert last.seconds == seconds


class LogResetTests(SynchronousTestCase):
    """A log that is not the one, or not as long, as it was."""

    @override
    def setUp(self) -> None:
        self.notified: list[Notification] = []
        self.script, self.clock = Script(), Clock()
        self.conversation = Conversation("alice", self.notified.append)
        self.script.open(self.conversation, self.clock)
        self.room = self.conversation.join("lobby")

    def come_back(self, seq: int, **more: object) -> None:
        """The connection is lost, and the room entered again."""
        self.script.transport.lose()
        self.clock.advance(1)
        self.script.transport.welcome(**({"log": more["welcome_log"]} if "welcome_log" in more else {}))
        self.script.transport.joined(seq, **{name: value for name, value in more.items() if name != "welcome_log"})

    def first(self, **more: object) -> None:
        self.script.transport.welcome(**({"log": more["welcome_log"]} if "welcome_log" in more else {}))
        self.script.transport.joined(0, **{name: value for name, value in more.items() if name != "welcome_log"})
        for seq in range(1, 8):
            self.script.transport.event(seq)

    def resets(self) -> list[str]:
        return [notification.text for notification in self.notified if isinstance(notification, LogReset)]

    def seqs(self) -> list[int]:
        return [notification.seq for notification in self.notified if isinstance(notification, Event)]

    def test_a_shorter_log(self) -> None:
        """The cursor is set to the log's end, and a sentence says so."""
        self.first()
        self.come_back(5)
        assert self.resets() == ["#lobby has lost the end of its log, 2 lines: you had seen 7, and it goes on after 5."]
        self.script.transport.event(6)
        assert self.seqs()[-1] == 6

    def test_another_log(self) -> None:
        """Another log is known by its identity, however long it is; what was said in it before is not shown."""
        self.first(log="one")
        self.come_back(9, log="two")
        assert self.resets() == ["#lobby is another log than before: you had seen 7, and it goes on after 9."]
        for seq in (8, 9, 10):
            self.script.transport.event(seq)
        assert self.seqs()[-2:] == [7, 10]
        self.come_back(10, log="two")
        assert len(self.resets()) == 1

    def test_another_log_by_the_welcome(self) -> None:
        """The identity may stand in the welcome alone."""
        self.first(welcome_log="one")
        self.come_back(9, welcome_log="two")
        assert len(self.resets()) == 1

    def test_the_same_log(self) -> None:
        """Nothing is said of a log that is the same, nor of one without an identity."""
        self.first(log="one")
        self.come_back(7, log="one")
        self.come_back(9)
        assert self.resets() == []


class SentenceTests(SynchronousTestCase):
    """What a person at a terminal is told."""

    @override
    def setUp(self) -> None:
        self.script, self.clock, self.output = Script(), Clock(), Output()
        self.controller = Controller("alice", self.clock.seconds)
        self.terminal = PlainTerminal(self.controller)
        self.terminal.stream = self.output
        self.controller.enter("lobby")
        self.script.open(self.controller.conversation, self.clock)
        self.script.transport.welcome()
        self.script.transport.joined(0)
        self.output.written = ""

    def test_a_server_that_stops(self) -> None:
        """Why it closes is said once, and when it is there again."""
        self.script.transport.closing("stopping", "The server stops.")
        self.clock.advance(1)
        self.script.transport.welcome()
        assert self.output.written.splitlines() == [
            "*** The server stops. Trying to connect again.",
            "*** Connected again.",
        ]

    def test_a_full_server(self) -> None:
        """However often it says that it is full, the person is told once."""
        self.script.transport.closing("full", "The server is full.")
        for _ in range(3):
            self.clock.advance(1)
            self.script.transport.closing("full", "The server is full.")
        assert self.output.written == "*** The server is full. Trying to connect again.\n"

    def test_taken_over(self) -> None:
        """Whose session was taken up is told so, and what can be done."""
        self.script.transport.closing("taken-over", "Another connection has taken your session up.")
        assert self.output.written == (
            "*** Another connection has taken your session up. "
            "This client does not connect again by itself: /quit ends it.\n"
        )

    def test_a_log_that_lost_its_end(self) -> None:
        """One sentence tells of it."""
        self.script.transport.event(1)
        self.script.transport.event(2)
        self.script.transport.lose()
        self.clock.advance(1)
        self.output.written = ""
        self.script.transport.welcome()
        self.script.transport.joined(1)
        assert self.output.written.splitlines() == [
            "*** Connected again.",
            "*** #lobby has lost the end of its log, 1 line: you had seen 2, and it goes on after 1.",
        ]
