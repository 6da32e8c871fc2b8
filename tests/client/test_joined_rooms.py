from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.world import OneClient
from twistedchat.client.joined_rooms import END
from twistedchat.client.notifications import JoinAccepted, JoinMerged, JoinRefused, LineStored, LogReset


class JoinedRoomsTests(SynchronousTestCase):
    """A client's rooms, at the real server."""

    @override
    def setUp(self) -> None:
        self.world = OneClient()
        self.addCleanup(self.world.server.close)
        self.server, self.conversation = self.world.server, self.world.conversation

    def test_joins_with_its_first_connection(self) -> None:
        """A room joined before there is a connection is entered as soon as there is one."""
        self.server.say("hi")
        room = self.conversation.join("#lobby")
        self.world.connect()
        assert self.world.texts() == ["hi"]
        assert self.world.of(JoinAccepted) == [JoinAccepted(room)]
        assert (room.members, room.count) == ({"alice", "bob"}, 2)

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

    def test_another_spelling(self) -> None:
        """Joining another spelling of a room shows no event twice: it is the same room."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.say("a")
        assert self.conversation.join("LOBBY") is room
        self.server.run()
        self.server.say("b")
        assert self.world.texts() == ["a", "b"]
        assert self.conversation.rooms == {"lobby": room}

    def test_joining_again_before_the_answer(self) -> None:
        """Of two joins under way the later says where to begin, and nothing is missed."""
        self.server.fill([str(number) for number in range(50)])
        self.conversation.join("lobby")
        self.world.connect()
        self.world.notified.clear()
        self.conversation.join("lobby", 40)
        self.conversation.join("lobby", 10)
        self.server.run()
        assert self.world.texts() == [str(number) for number in range(10, 50)]

    def test_a_log_that_lost_its_end(self) -> None:
        """A client whose last event is not in the log any more says so, and goes on at the log's end."""
        room = self.conversation.join("lobby")
        self.world.connect()
        for text in "abc":
            self.server.say(text)
        self.server.forget_logs()
        self.server.say("new")
        self.world.reconnect()
        [reset] = self.world.of(LogReset)
        assert isinstance(reset, LogReset)
        assert (reset.room, reset.after, room.after) == (room, 3, 1)
        self.server.say("newer")
        assert self.world.texts() == ["a", "b", "c", "newer"]

    def test_kept_out(self) -> None:
        """A room that does not let us in is told, and forgotten."""
        room = self.conversation.join("a b")
        self.world.connect()
        (kept_out,) = self.world.of(JoinRefused)
        assert isinstance(kept_out, JoinRefused)
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

    def test_presence(self) -> None:
        """Who is here follows who comes and goes."""
        room = self.conversation.join("lobby")
        self.world.connect()
        self.server.person("dave")
        self.server.leave("bob")
        self.server.pass_seconds(1)
        self.conversation.rename("eve")
        self.server.pass_seconds(1)
        assert (room.members, room.count) == ({"eve", "dave"}, 2)

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
        assert len(self.world.of(LineStored)) == 1
        self.conversation.go_on()
        self.server.say("f")
        self.server.run()
        assert self.world.texts() == list("abcdef")

    def test_a_spelling_that_only_the_server_knows(self) -> None:
        """A room that looks like one that we are in is that one: nothing is shown twice."""
        room = self.conversation.join("lan")
        self.world.connect()
        self.server.say("a", room="lan")
        asked = self.conversation.join("Ian")
        assert asked is not room
        self.server.say("b", room="lan")
        self.server.run()
        self.server.say("c", room="lan")
        assert self.world.texts() == ["a", "b", "c"]
        assert self.conversation.rooms == {"lan": room}
        assert self.world.of(JoinMerged) == [JoinMerged(asked, room)]

    def test_another_spelling_while_held_up(self) -> None:
        """Nor is anything missed, though the listener is far behind when the two turn out to be one."""
        self.conversation.join("lan")
        self.world.connect()
        self.server.say("0", room="lan")
        self.conversation.hold()
        for number in range(1, 100):
            self.server.say(str(number), room="lan")
        self.conversation.join("Ian")
        self.server.run()
        self.conversation.go_on()
        self.server.run()
        assert self.world.texts() == [str(number) for number in range(100)]

    def test_another_spelling_with_a_place(self) -> None:
        """By another spelling, too, a room that we are in can be begun anew."""
        self.conversation.join("lan")
        self.world.connect()
        for text in "abc":
            self.server.say(text, room="lan")
        self.conversation.join("Ian", 1)
        self.server.run()
        assert self.world.texts() == ["a", "b", "c", "b", "c"]

    def test_saying_by_another_spelling(self) -> None:
        """What is said there stands in the room, whichever name was asked for."""
        self.conversation.join("lan")
        self.world.connect()
        asked = self.conversation.join("Ian")
        self.conversation.say(asked, "one")
        self.server.run()
        self.conversation.say(asked, "two")
        self.server.run()
        assert [event.text for event in self.server.log("lan")] == ["one", "two"]
        assert self.world.texts() == ["one", "two"]
