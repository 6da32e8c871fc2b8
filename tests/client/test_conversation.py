from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.world import FIRST_SECOND, OneClient
from twistedchat.client.messages import Tell
from twistedchat.client.notifications import (
    Connected,
    Disconnected,
    LineRefused,
    LineStored,
)
from twistedchat.errors import ChatError
from twistedchat.events import Event


class ConversationTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.world = OneClient()
        self.addCleanup(self.world.server.close)
        self.server, self.conversation = self.world.server, self.world.conversation

    def test_nothing_is_missed_or_doubled_while_away(self) -> None:
        """After a lost connection the room goes on where it stopped."""
        self.conversation.join("lobby")
        self.world.connect()
        for text in "abc":
            self.server.say(text)
        self.server.lose()
        for text in "def":
            self.server.say(text)
        self.world.reconnect()
        assert self.world.texts() == list("abcdef")
        hello = next(message for message in reversed(self.server.asked) if message["op"] == "hello")
        assert hello["name"] == "alice"
        assert hello["resume"]
        assert isinstance(connected := self.world.of(Connected)[-1], Connected)
        assert connected.resumed

    def test_lost_before_the_first_event(self) -> None:
        """Lines said while away are not missed even if nothing was seen before, and the server shows no history."""
        world = self.world = OneClient(history=0)
        self.addCleanup(world.server.close)
        self.server, self.conversation = world.server, world.conversation
        self.conversation.join("lobby")
        self.world.connect()
        self.server.lose()
        for text in "abc":
            self.server.say(text)
        self.world.reconnect()
        assert self.world.texts() == ["a", "b", "c"]

    def test_a_line_is_sent_again_with_its_key(self) -> None:
        """A line whose answer was lost stands once, and counts as stored."""
        room = self.conversation.join("lobby")
        self.world.connect()
        line = self.conversation.say(room, "hi")
        self.server.link.reading = False  # The answer does not arrive.
        self.server.run()
        assert self.world.of(LineStored) == []
        self.server.lose()
        self.world.reconnect()
        assert self.world.texts() == ["hi"]
        assert self.world.of(LineStored) == [LineStored(line, 1)]
        assert self.conversation.unstored == {}

    def test_lines_wait_for_a_connection(self) -> None:
        """What is said while there is no connection goes out in order."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.lose()
        for text in ("one", "two", "three"):
            self.conversation.say(room, text)
        self.world.reconnect()
        assert self.world.texts() == ["one", "two", "three"]

    def test_a_refused_line(self) -> None:
        """What the server does not take is told, and not sent again."""
        room = self.conversation.join("lobby")
        self.world.connect()
        line = self.conversation.say(room, "")
        self.server.run()
        (refused,) = self.world.of(LineRefused)
        assert isinstance(refused, LineRefused)
        assert (refused.line, refused.error.code) == (line, "empty-text")
        assert self.conversation.unstored == {}

    def test_half_a_character_is_no_harm(self) -> None:
        """A lone surrogate, which no server takes, is replaced."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.conversation.say(room, "a\ud800b")
        self.server.run()
        assert self.world.texts() == ["a?b"]

    def test_a_taken_name(self) -> None:
        """Without leave to take another, it is an error."""
        self.server.person("alice")
        with pytest.raises(ChatError, match="name-taken"):
            self.world.connect()
        assert self.server.link.is_lost

    def test_a_numbered_name(self) -> None:
        """With leave, the next that is free."""
        world = OneClient(numbered=True)
        self.addCleanup(world.server.close)
        world.server.person("alice")
        world.server.person("alice-2")
        world.connect()
        assert world.conversation.name == "alice-3"

    def test_a_full_disk(self) -> None:
        """A line that can't be stored now is kept, and sent again in its place when that is possible."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.break_disk()
        self.conversation.say(room, "a")
        self.server.run()
        self.conversation.say(room, "b")
        self.server.run()
        assert [line.text for line in self.conversation.unstored.values()] == ["a", "b"]
        self.server.mend_disk()
        self.conversation.say(room, "c")
        self.server.pass_seconds(5)
        assert [event.text for event in self.server.log()] == ["a", "b", "c"]
        assert self.world.of(LineRefused) == []
        assert len(self.world.of(LineStored)) == 3

    def test_renamed_while_away(self) -> None:
        """A name taken without a connection is taken with the next one."""
        self.conversation.join("lobby")
        self.world.connect()
        self.server.lose()
        self.conversation.rename("carol")
        self.world.reconnect()
        assert self.conversation.name == "carol"
        asking = self.conversation.ask("who", room="lobby")
        self.server.run()
        assert self.successResultOf(asking).fields["members"] == ["bob", "carol"]

    def test_asking_without_a_connection(self) -> None:
        """An answer that can't come fails, before and during."""
        error = self.failureResultOf(self.conversation.ask("rooms"), ChatError).value
        assert isinstance(error, ChatError)
        assert error.code == "not-connected"
        self.world.connect()
        asking = self.conversation.ask("rooms")
        self.server.lose()
        self.failureResultOf(asking, ChatError)

    def test_private_lines(self) -> None:
        """A private line is told as one."""
        self.world.connect()
        self.conversation.ask("tell", to="alice", text="psst")
        self.server.run()
        assert self.world.of(Tell) == [Tell("alice", "psst", int(FIRST_SECOND * 1000))]

    @settings(deadline=None)
    @given(st.data())
    def test_once_and_gapless(self, data: st.DataObject) -> None:
        """Whenever connections are lost, every line stands once, in order, and every event is told once, in order."""
        world = OneClient()
        server, conversation = world.server, world.conversation
        room = conversation.join("lan", 0)
        world.connect()
        said: list[str] = []
        steps = ["say", "other", "run", "lose", "restart", "down", "wait", "hold", "go_on", "respell"]
        for step in data.draw(st.lists(st.sampled_from(steps), max_size=40)):
            if step == "say":
                said.append(f"line {len(said)}")
                conversation.say(room, said[-1])
            elif step == "other":
                server.say("from somebody else", room="lan")
            elif step == "run":
                server.link.hold_lines = data.draw(st.none() | st.integers(0, 5))
                server.run()
            elif step == "lose":
                server.link.lose()
            elif step == "restart":
                server.restart()
            elif step == "down":
                server.down = not server.down
            elif step == "respell":
                conversation.join("Ian")
            elif step == "wait":
                server.pass_seconds(1)
            else:
                getattr(conversation, step)()
        server.down = False
        server.link.hold_lines = None
        conversation.go_on()
        for _ in range(3):
            world.reconnect()
        server.close()
        log = server.log("lan")
        assert [event.text for event in log if event.who == "alice"] == said
        assert [n for n in world.notified if isinstance(n, Event)] == log
        assert [n.line.text for n in world.notified if isinstance(n, LineStored)] == said

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(["say", "say", "run", "break", "mend", "lose", "wait"]), max_size=30))
    def test_a_disk_that_comes_and_goes(self, steps: list[str]) -> None:
        """Whenever the server can't store anything for a while, every line stands once, in order, in the end."""
        world = OneClient()
        server = world.server
        room = world.conversation.join("lobby", 0)
        world.connect()
        said: list[str] = []
        actions = {"run": server.run, "break": server.break_disk, "mend": server.mend_disk, "lose": server.lose}
        for step in steps:
            if step == "say":
                said.append(str(len(said)))
                world.conversation.say(room, said[-1])
            elif step == "wait":
                server.pass_seconds(1)
            else:
                actions[step]()
        server.mend_disk()
        server.pass_seconds(10)
        server.close()
        assert [event.text for event in server.log()] == said
        assert world.texts() == said


class NewsTests(SynchronousTestCase):
    def test_news_of_the_connection(self) -> None:
        """Whoever listens is told that it was lost, and when it is there again."""
        world = OneClient().connect()
        self.addCleanup(world.server.close)
        world.server.lose()
        world.reconnect()
        kinds = [type(n) for n in world.notified if isinstance(n, (Connected, Disconnected))]
        assert kinds == [Connected, Disconnected, Connected]
