from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import FakeServer, connect
from twistedchat.client.conversation import END, Conversation
from twistedchat.client.happenings import Connected, Disconnected, Happening, Joined, KeptOut, Refused, Stored, Tell
from twistedchat.errors import ChatError
from twistedchat.events import Event


class World:
    """One client and a server."""

    def __init__(self, name: str = "alice", *, numbered: bool = False) -> None:
        self.happened: list[Happening] = []
        self.server = FakeServer()
        self.clock = Clock()
        self.conversation = Conversation(name, self.happened.append, numbered=numbered)

    def connect(self) -> World:
        self.connection = connect(self.server, self.conversation, self.clock)
        return self

    def reconnect(self) -> None:
        self.clock.advance(1)
        self.server.run()

    def texts(self) -> list[str]:
        return [happening.text for happening in self.happened if isinstance(happening, Event)]

    def of(self, kind: type[Happening]) -> list[Happening]:
        return [happening for happening in self.happened if isinstance(happening, kind)]


class ConversationTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.world = World()
        self.server, self.conversation = self.world.server, self.world.conversation

    def test_joins_with_its_first_connection(self) -> None:
        """A room joined before there is a connection is entered as soon as there is one."""
        self.server.say("hi")
        room = self.conversation.join("#lobby")
        self.world.connect()
        assert self.world.texts() == ["hi"]
        assert self.world.of(Joined) == [Joined(room)]
        assert (room.members, room.count) == ({"alice", "bob"}, 2)

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
        assert self.server.asked[-2] == {"op": "hello", "id": 3, "name": "alice", "resume": "token-1"}

    def test_lost_before_the_first_event(self) -> None:
        """Lines said while away are not missed even if nothing was seen before, and the server shows no history."""
        self.server.history = 0
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
        self.server.peer.over = True  # The answer does not arrive.
        self.server.run()
        self.server.peer.over = False
        self.server.lose()
        self.world.reconnect()
        assert self.world.texts() == ["hi"]
        assert self.world.of(Stored) == [Stored(line, 1)]
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
        self.server.failing = True
        line = self.conversation.say(room, "hi")
        self.server.run()
        (refused,) = self.world.of(Refused)
        assert isinstance(refused, Refused)
        assert (refused.line, refused.error.code) == (line, "not-stored")
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
        self.server.taken.add("alice")
        with pytest.raises(ChatError, match="name-taken"):
            self.world.connect()
        assert self.server.peers == []

    def test_a_numbered_name(self) -> None:
        """With leave, the next that is free."""
        world = World(numbered=True)
        world.server.taken |= {"alice", "alice-2"}
        world.connect()
        assert world.conversation.name == "alice-3"

    def test_rooms_have_the_server_s_spelling(self) -> None:
        """A room is known by the name that the server has for it."""
        room = self.conversation.join("#LOBBY")
        self.world.connect()
        self.server.say("hi")
        assert room.name == "lobby"
        assert self.conversation.rooms == {"lobby": room}
        assert self.world.texts() == ["hi"]

    def test_without_history(self) -> None:
        """Whoever joins at the end is shown what is new."""
        self.server.say("old")
        room = self.conversation.join("lobby", END)
        self.world.connect()
        self.server.say("new")
        self.server.lose()
        self.server.say("newer")
        self.world.reconnect()
        assert self.world.texts() == ["new", "newer"]
        assert room.after == 3

    def test_again_from_an_earlier_place(self) -> None:
        """A room that we are in can be begun anew."""
        self.conversation.join("lobby")
        self.world.connect()
        for text in "abc":
            self.server.say(text)
        self.conversation.join("lobby", 1)
        self.server.say("d")
        self.server.run()
        assert self.world.texts() == ["a", "b", "c", "b", "c", "d"]

    def test_a_log_that_began_anew(self) -> None:
        """A server that has lost its log is shown from its beginning."""
        self.conversation.join("lobby")
        self.world.connect()
        for text in "abc":
            self.server.say(text)
        self.server.lose()
        self.server.logs.clear()
        self.server.say("new")
        self.world.reconnect()
        assert self.world.texts() == ["a", "b", "c", "new"]

    def test_kept_out(self) -> None:
        """A room that does not let us in is told, and forgotten."""
        room = self.conversation.join("closed")
        self.world.connect()
        (kept_out,) = self.world.of(KeptOut)
        assert isinstance(kept_out, KeptOut)
        assert kept_out.room is room
        assert self.conversation.rooms == {}

    def test_left_while_away(self) -> None:
        """A room that was left without a connection is left with the next one."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.lose()
        self.conversation.leave(room)
        self.world.reconnect()
        assert self.server.ops()[-2:] == ["hello", "leave"]
        self.server.say("unheard")
        assert self.world.texts() == []

    def test_renamed_while_away(self) -> None:
        """A name taken without a connection is taken with the next one."""
        self.world.connect()
        self.server.lose()
        self.conversation.rename("carol")
        self.world.reconnect()
        assert self.conversation.name == "carol"
        assert self.server.peer.name == "carol"

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
        assert self.world.of(Tell) == [Tell("alice", "psst", 1795336200000)]

    def test_presence(self) -> None:
        """Who is here follows who comes and goes."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.peer.send(
            type="presence", room="lobby", joined=["dave"], left=["bob"], renamed=[["alice", "eve"]], count=2
        )
        assert room.members == {"eve", "dave"}

    def test_a_slow_listener(self) -> None:
        """While it is held up nothing is told, and then all of it, in order."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.say("a")
        self.conversation.hold()
        for text in "bcd":
            self.server.say(text)
        self.conversation.say(room, "e")
        self.server.run()
        assert len(self.world.of(Stored)) == 1
        self.conversation.go_on()
        self.server.say("f")
        self.server.run()
        assert self.world.texts() == list("abcdef")

    @given(st.data())
    def test_once_and_gapless(self, data: st.DataObject) -> None:
        """Whenever connections are lost, every line stands once, in order, and every event is told once, in order."""
        world = World()
        room = world.conversation.join("lobby", 0)
        world.connect()
        said: list[str] = []
        steps = ["say", "other", "run", "lose", "restart", "wait", "hold", "go_on"]
        for step in data.draw(st.lists(st.sampled_from(steps), max_size=40)):
            if step == "say":
                said.append(f"line {len(said)}")
                world.conversation.say(room, said[-1])
            elif step == "other":
                world.server.say("from somebody else")
            elif step == "run":
                world.server.run(data.draw(st.integers(0, 5)))
            elif step == "lose":
                world.server.lose()
            elif step == "restart":
                world.server.lose()
                world.server.forgets = True
                world.server.down = not world.server.down
            elif step == "wait":
                world.clock.advance(1)
            else:
                getattr(world.conversation, step)()
        world.server.down = False
        world.conversation.go_on()
        for _ in range(3):
            world.reconnect()
        log = world.server.logs.get("lobby", [])
        assert [event.text for event in log if event.who == "alice"] == said
        assert [h for h in world.happened if isinstance(h, Event)] == log
        assert [h.line.text for h in world.happened if isinstance(h, Stored)] == said


class NewsTests(SynchronousTestCase):
    def test_news_of_the_connection(self) -> None:
        """Whoever listens is told that it was lost, and when it is there again."""
        world = World().connect()
        world.server.lose()
        world.reconnect()
        kinds = [type(h) for h in world.happened if isinstance(h, (Connected, Disconnected))]
        assert kinds == [Connected, Disconnected, Connected]
        last = world.of(Connected)[-1]
        assert isinstance(last, Connected)
        assert last.resumed
