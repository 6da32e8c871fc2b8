"""Several servers that share their rooms: where the client goes when it loses one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import Output, Script
from twistedchat.client.address import Server
from twistedchat.client.connection import STEADY_SECONDS, Connection
from twistedchat.client.controller import Controller
from twistedchat.client.conversation import Conversation
from twistedchat.client.notifications import LogReset, Retrying
from twistedchat.client.pipe import Pipe
from twistedchat.client.terminal import PlainTerminal
from twistedchat.errors import ChatError
from twistedchat.events import Event

if TYPE_CHECKING:
    from tests.client.fakes import ScriptedTransport
    from twistedchat.client.notifications import Notification


class ServersTestCase(SynchronousTestCase):
    """A client that knows three servers."""

    @override
    def setUp(self) -> None:
        self.notified: list[Notification] = []
        self.clock = Clock()
        self.scripts = [Script() for _ in range(3)]
        self.conversation = Conversation("alice", self.notified.append)

    def open(self, conversation: Conversation | None = None) -> Deferred[None]:
        servers = [Server(script, name) for script, name in zip(self.scripts, "abc", strict=True)]
        connection = Connection(self.clock, servers, conversation or self.conversation, lambda rounds: 2.0**rounds)
        return Deferred.fromCoroutine(connection.open())

    def welcomed(self, conversation: Conversation | None = None) -> None:
        """Come in at the first server, and stay for a while."""
        self.successResultOf(self.after_welcome(self.open(conversation)))
        self.clock.advance(STEADY_SECONDS)

    def after_welcome(self, opening: Deferred[None]) -> Deferred[None]:
        self.transport("a").welcome()
        return opening

    def transport(self, name: str) -> ScriptedTransport:
        """The newest connection to a server."""
        return self.scripts["abc".index(name)].transport

    def counts(self) -> list[int]:
        """How many connections each server was asked for."""
        return [len(script.transports) for script in self.scripts]

    def pauses(self) -> list[float]:
        return [notification.seconds for notification in self.notified if isinstance(notification, Retrying)]


class FirstServerTests(ServersTestCase):
    """The first connection is made to the first server that takes us."""

    def test_the_next(self) -> None:
        """A server that is not there, or can't reach its log, is passed over."""
        self.scripts[0].down = True
        opening = self.open()
        self.transport("b").answer(type="error", code="not-ready", text="Not ready.")
        self.transport("c").welcome()
        self.successResultOf(opening)
        assert self.counts() == [0, 1, 1]

    def test_none(self) -> None:
        """If there is none, each reason is told."""
        for script in self.scripts:
            script.down = True
        error = self.failureResultOf(self.open(), ChatError).value
        assert error.code == "unreachable"
        assert [f"Nothing listens at {name}:" in error.text for name in "abc"] == [True] * 3

    def test_a_name_that_is_taken(self) -> None:
        """What one says for all of them is not asked again."""
        opening = self.open()
        self.transport("a").answer(type="error", code="name-taken", text="It is taken.")
        assert self.failureResultOf(opening, ChatError).value.text == "It is taken."
        assert self.counts() == [1, 0, 0]


class NextServerTests(ServersTestCase):
    """Whoever loses a server goes on at the next."""

    def test_at_once(self) -> None:
        """There it takes up its session, and begins after the last event that it saw."""
        self.conversation.join("lobby")
        self.welcomed()
        self.transport("a").joined(0)
        self.transport("a").event(1)
        self.transport("a").closing("stopping", "Goodbye.")
        self.clock.advance(0)
        self.transport("b").welcome()
        hello, join = self.transport("b").sent
        assert (hello["op"], hello["resume"]) == ("hello", "token")
        assert (join["op"], join["after"]) == ("join", 1)
        self.transport("b").joined(2)
        self.transport("b").event(2)
        assert [event.seq for event in self.notified if isinstance(event, Event)] == [1, 2]

    def test_rounds(self) -> None:
        """All others are tried at once; then each round through all of them waits longer."""
        self.welcomed()
        for script in self.scripts:
            script.down = True
        self.transport("a").lose()
        for seconds in (0, 0, 1, 0, 0, 2, 0, 0):
            self.clock.advance(seconds)
        assert self.pauses() == [0, 0, 1, 0, 0, 2, 0, 0, 4]

    def test_a_server_without_its_log(self) -> None:
        """A server that is not ready is passed over."""
        self.welcomed()
        self.transport("a").lose()
        self.clock.advance(0)
        self.transport("b").answer(type="error", code="not-ready", text="Not ready.")
        self.clock.advance(0)
        assert self.counts() == [1, 1, 1]

    def test_servers_that_close_at_once(self) -> None:
        """A connection that is lost soon after its welcome is not followed by another at once."""
        self.welcomed()
        self.transport("a").lose()
        self.clock.advance(0)
        self.transport("b").welcome()
        self.transport("b").lose()
        assert self.pauses() == [0, 1]

    def test_lines(self) -> None:
        """A line that was not answered is sent to the next server, with its key."""
        room = self.conversation.join("lobby")
        self.welcomed()
        self.transport("a").joined(0)
        line = self.conversation.say(room, "hi")
        self.transport("a").lose()
        self.clock.advance(0)
        self.transport("b").welcome()
        assert [message["key"] for message in self.transport("b").sent if message["op"] == "say"] == [line.key]


class NewsTests(ServersTestCase):
    """What a server says as it lets somebody go."""

    def test_a_lost_name_at_a_terminal(self) -> None:
        """A person is told that somebody else has the name, and again only what is new."""
        controller = Controller("alice", lambda: 0.0)
        terminal = PlainTerminal(controller)
        terminal.stream = output = Output()
        self.welcomed(controller.conversation)
        self.transport("a").closing("name-lost", "Somebody else has the name alice now.")
        for script in self.scripts[1], self.scripts[2]:
            self.clock.advance(0)
            script.transport.answer(type="error", code="name-taken", text="alice is taken.")
        assert output.written.splitlines() == [
            "*** Somebody else has the name alice now. Trying to connect again.",
            "*** alice is taken.",
        ]

    def test_a_lost_name_that_may_have_a_number(self) -> None:
        """A name that was not chosen comes back with a number."""
        conversation = Conversation("alice", self.notified.append, numbered=True)
        self.welcomed(conversation)
        self.transport("a").closing("name-lost", "Somebody else has the name alice now.")
        self.clock.advance(0)
        self.transport("b").answer(type="error", code="name-taken", text="alice is taken.")
        assert self.transport("b").sent[-1]["name"] == "alice-2"

    def test_in_a_pipe(self) -> None:
        """In a pipe it is said on stderr, as is a log that has lost its end; other reasons are not."""
        warnings: list[str] = []
        pipe = Pipe(self.clock, "alice", warn=warnings.append)
        pipe.stream = Output()
        pipe.room = pipe.conversation.join("lobby")
        self.welcomed(pipe.conversation)
        for name, code in (("a", "name-lost"), ("b", "log-lost"), ("c", "stopping")):
            if name != "a":
                self.transport(name).welcome(resumed=False)
            self.transport(name).closing(code, f"It is {code}.")
            self.clock.advance(1)
        assert warnings == ["It is name-lost.", "It is log-lost."]

    def test_a_log_that_lost_its_end(self) -> None:
        """Whoever comes back to a shorter log is told how many lines it has lost."""
        self.conversation.join("lobby", 0)
        self.welcomed()
        self.transport("a").joined(0)
        for seq in range(1, 4):
            self.transport("a").event(seq)
        self.transport("a").closing("log-lost", "The end of the log is lost.")
        self.clock.advance(0)
        self.transport("b").welcome()
        self.transport("b").joined(1)
        [reset] = [notification for notification in self.notified if isinstance(notification, LogReset)]
        assert reset.text == "#lobby has lost the end of its log, 2 lines: you had seen 3, and it goes on after 1."
        self.transport("b").send_line(json.dumps({"type": "closing", "code": "new", "text": "Something new."}))
        self.transport("b").lose()
        self.clock.advance(1)
        assert self.counts() == [1, 1, 1]
