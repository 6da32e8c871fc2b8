from __future__ import annotations

import re

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import Output
from tests.client.world import FIRST_SECOND, ClientWorld
from tests.fakes import now
from twistedchat.client.commands import BINDINGS
from twistedchat.client.completion import candidates
from twistedchat.client.controller import Controller
from twistedchat.client.terminal import PlainTerminal
from twistedchat.client.times import time_of_day
from twistedchat.errors import ChatError
from twistedchat.verbs import VERBS, help_lines


class ControllerTests(SynchronousTestCase):
    """A person at a terminal that takes lines, with a server in memory."""

    @override
    def setUp(self) -> None:
        self.server, self.output = ClientWorld(), Output()
        self.addCleanup(self.server.close)
        self.controller = Controller("ann", self.server.reactor.seconds)
        self.terminal = PlainTerminal(self.controller)
        self.terminal.stream = self.output
        self.controller.enter("lobby")
        self.connection, _ = self.server.open(self.controller.conversation)
        self.written()

    def written(self) -> list[str]:
        """The lines written since the last time, without the day's, and without their time."""
        self.server.run()
        lines, self.output.written = self.output.written.splitlines(), ""
        return [re.sub(r"^\[[\d:]+", "[TIME", line) for line in lines if not line.startswith("---")]

    def typed(self, *texts: str) -> list[str]:
        for text in texts:
            self.terminal.typed(text)
        return self.written()

    def test_saying(self) -> None:
        """What is typed is said; // says a line that begins with /."""
        assert self.typed("hello", "//tmp is full", "   ", "/me waves", "/say /x") == [
            "[TIME] ann: hello",
            "[TIME] ann: /tmp is full",
            "[TIME] * ann waves",
            "[TIME] ann: /x",
        ]

    def test_a_long_line(self) -> None:
        """A line that is too long for one is said in several."""
        assert [len(line.encode()) for line in self.typed("x" * 5000)] == [4096 + 12, 904 + 12]

    def test_help(self) -> None:
        """/help shows what stands in the table of verbs, of all or of one."""
        assert self.typed("/help") == [f"*** {line}" for line in help_lines()]
        assert self.typed("/help part") == [f"*** {line}" for line in help_lines("leave")]
        assert self.typed("/help frob")[0].startswith("*** There is no command /frob")

    def test_mistakes(self) -> None:
        """A mistake is told to the person alone, with the way out."""
        assert self.typed("/frob") == [
            "*** There is no command /frob; /help lists them. To say a line that begins with /, type //."
        ]
        for wrong in (
            "/nick",
            "/join",
            "/msg",
            "/msg bob",
            "/since x",
            "/history x",
            "/set x",
            "/unignore bob",
            "/r x",
        ):
            [answer] = self.typed(wrong)
            assert answer.startswith("*** "), wrong
        assert self.server.log() == []

    def test_rooms(self) -> None:
        """Several rooms: the one talked in is plain, the others are named."""
        self.server.person("bob", "dev")
        assert self.typed("/join #dev") == ["*** You are ann, in #dev with bob."]
        self.server.say("in the lobby")
        assert self.written() == ["[TIME] #lobby bob: in the lobby"]
        assert self.typed("here") == ["[TIME] ann: here"]
        assert self.typed("/rooms") == ["*** #dev (2 people, you too)", "*** #lobby (2 people, you too)"]
        assert self.typed("/join lobby") == ["*** You talk in #lobby now."]
        assert self.typed("/leave") == ["*** You left #lobby.", "*** You talk in #dev now."]
        assert self.typed("/leave", "lost")[-1].startswith("*** You are in no room")

    def test_a_closed_room(self) -> None:
        """One that does not let in is told, and one talks on where one was."""
        assert "can't stand in the name of a room" in self.typed("/join a+b")[-1]
        assert self.typed("hello") == ["[TIME] ann: hello"]

    def test_people(self) -> None:
        """/who, /nick, /msg and /reply."""
        assert self.typed("/who") == ["*** ann and bob are in #lobby."]
        assert self.typed("/nick eve") == ["*** You were ann and are eve now."]
        assert self.typed("/msg eve psst") == ["*** eve tells you: psst", "*** You tell eve: psst"]
        assert self.typed("/reply what") == ["*** eve tells you: what", "*** You tell eve: what"]

    def test_what_programs_of_irc_send(self) -> None:
        """A notice is shown as one, privately too; formatting is left out; who is ignored is not heard so either."""
        bob = self.server.person("bob")
        bob.ask("notice", room="lobby", text="\x02beep\x02", tags={"+x": "1"})
        bob.ask("tell", to="ann", text="psst", kind="notice")
        bob.ask("tell", to="ann", text="winks", kind="me")
        assert self.written() == [
            "[TIME] -bob- beep",
            "*** -bob- tells you: psst",
            "*** bob tells you: * bob winks",
        ]
        self.typed("/ignore bob")
        bob.ask("notice", room="lobby", text="beep")
        bob.ask("tell", to="ann", text="psst", kind="notice")
        assert self.written() == []

    def test_invited_and_removed(self) -> None:
        """Who is let in or removed is told so, and how to enter; one talks on in the room entered before."""
        op = self.server.guard("den", "secret")
        assert "key" in self.typed("/join #den")[-1]
        assert self.typed("/join #den secret")[-1] == "*** You are ann, in #den with op."
        self.server.asked.clear()
        self.server.lose()
        self.server.pass_seconds(1)
        assert {ask["room"]: ask.get("key") for ask in self.server.asked if ask["op"] == "join"} == {
            "lobby": None,
            "den": "secret",
        }
        self.written()
        now(op.kick("den", "ann", "too loud"))
        assert self.written()[-2:] == ["*** You talk in #lobby now.", "*** op removed you from #den: too loud"]
        assert self.typed("hi") == ["[TIME] ann: hi"]
        now(op.invite("ann", "den"))
        assert self.written() == ["*** op invites you to #den: /join #den enters it."]
        assert self.typed("/join #den")[-1] == "*** You are ann, in #den with op."

    def test_ignoring(self) -> None:
        """Nothing of somebody who is ignored is shown."""
        assert self.typed("/ignore BOB") == ["*** You ignore BOB."]
        self.server.say("noise")
        assert self.written() == []
        assert self.typed("/unignore bob") == ["*** You ignore bob no more."]

    def test_the_log(self) -> None:
        """/history shows pages, /since goes back."""
        for number in range(1, 31):
            self.server.say(f"line {number}")
        self.written()
        assert self.typed("/history 2 before 11") == [
            "[TIME] bob: line 9",
            "[TIME] bob: line 10",
            "*** /history before 9 shows what was said earlier.",
        ]
        assert self.typed("/history 1 before 2")[-1] == "*** That is all."
        assert self.typed("/since 28") == ["*** From 29 on in #lobby:", "[TIME] bob: line 29", "[TIME] bob: line 30"]

    def test_since_a_time(self) -> None:
        """A time of day is found in the log, in a few steps."""
        for number in range(1, 101):
            self.server.say(f"line {number}")
            self.server.pass_seconds(1)
        self.written()
        self.server.asked.clear()
        seconds = FIRST_SECOND + 59
        found = next(
            text
            for text in (f"{h:02}:{m:02}:{s:02}" for h in range(24) for m in range(60) for s in range(60))
            if time_of_day(text, self.server.reactor.seconds()) == int(seconds * 1000)
        )
        assert self.typed(f"/since {found}")[1] == "[TIME] bob: line 60"
        assert len(self.server.asked) < 12

    def test_settings(self) -> None:
        """/set changes how things are shown."""
        assert self.typed("/set seq on") == ["*** Set: zone local, seq on, presence on, bell off."]
        assert self.typed("hi") == ["[TIME 1] ann: hi"]
        assert (
            self.typed("/set bell on", "/set presence off")[-1] == "*** Set: zone local, seq on, presence off, bell on."
        )
        self.server.say("ann!")
        assert self.written()[-1].endswith("\a")
        self.server.person("x")
        self.server.pass_seconds(1)
        assert self.written() == []

    def test_topic(self) -> None:
        """/topic shows, sets and, with -, clears it."""
        assert self.typed("/topic") == ["*** #lobby has no topic: /topic TEXT sets one."]
        assert self.typed("/topic cats") == ["[TIME] * ann set the topic: cats"]
        assert self.typed("/topic") == ["*** The topic of #lobby is: cats"]
        assert self.typed("/topic -") == ["[TIME] * ann cleared the topic"]
        assert self.typed("/topic") == ["*** #lobby has no topic: /topic TEXT sets one."]

    def test_zone(self) -> None:
        """/set zone has times of that zone, on events, days and /since."""
        assert self.typed("/set zone Asia/Tokyo")[-1].startswith("*** Set: zone Asia/Tokyo, ")
        self.terminal.typed("hi")
        self.server.run()
        assert "--- Sunday 22 November 2026 ---" in self.output.written
        assert "[17:30:00] ann: hi" in self.output.written
        assert self.typed("/since 17:29")[-1] == "[TIME] ann: hi"
        assert self.typed("/set zone nowhere/x")[-1].startswith("*** There is no zone nowhere/x")
        assert self.typed("/set zone server")[-1].startswith("*** Set: zone local, ")

    def test_entering_again(self) -> None:
        """Whoever enters a room that was left is told again who is there."""
        self.typed("/join dev", "/leave")
        assert self.typed("/join dev") == ["*** You are ann, in #dev, and nobody else is here yet."]

    def test_a_room_that_can_not_be(self) -> None:
        """A name that no room can have is refused at once, and one talks on where one was."""
        assert "can't stand in the name of a room" in self.typed("/join #a,b")[0]
        assert self.typed("hi") == ["[TIME] ann: hi"]

    def test_another_spelling(self) -> None:
        """Whoever enters a room by a name that looks like its own talks in it."""
        self.typed("/join lan", "/join lobby")
        assert self.typed("/join Ian")[-1] == "*** You talk in #lan now."
        assert self.typed("hi") == ["[TIME] ann: hi"]
        assert [event.text for event in self.server.log("lan")] == ["hi"]

    def test_whole_words(self) -> None:
        """The bell rings for one's name as a whole word."""
        self.typed("/set bell on")
        self.server.say("annex")
        assert not self.written()[-1].endswith("\a")
        self.server.say("see, ann.")
        assert self.written()[-1].endswith("\a")

    def test_look_alikes(self) -> None:
        """Whoever is ignored is ignored by any name that looks like it, as by telnet."""
        self.server.person("eve")
        self.server.pass_seconds(1)
        self.typed("/ignore \N{CYRILLIC SMALL LETTER IE}ve")
        self.server.say("noise", who="eve")
        assert self.written() == []

    def test_every_verb_has_a_binding(self) -> None:
        """Each verb that can be typed does something, and nothing else can be typed."""
        assert set(BINDINGS) == {verb.name for verb in VERBS if verb.words}

    def test_a_lost_server(self) -> None:
        """Losing the server and finding it again is said once, and nothing else."""
        self.server.down = True
        self.server.lose()
        self.server.pass_seconds(2)
        self.server.down = False
        self.server.pass_seconds(1)
        assert self.written() == [
            "*** The connection to here is lost. Trying to connect again.",
            "*** Connected again.",
        ]
        assert self.typed("/ping") == ["*** The server answers within 0 ms."]

    def test_a_lost_name(self) -> None:
        """Whoever's name was taken meanwhile is told so, once, and can take another."""
        self.server.restart()
        self.server.person("ann")
        self.server.pass_seconds(3)
        assert self.written() == [
            "*** The connection to here is lost. Trying to connect again.",
            "*** The name ann is taken. Choose another one.",
        ]
        self.typed("/nick eve")
        self.server.pass_seconds(1)
        assert self.written()[0] == "*** Connected again."
        assert self.typed("hi") == ["[TIME] eve: hi"]

    def test_leaving(self) -> None:
        """/quit leaves, with a parting word for the server."""
        self.typed("/quit see you")
        assert self.terminal.done.called
        Deferred.fromCoroutine(self.connection.close(self.controller.farewell))
        self.server.run()
        assert self.server.asked[-1] == {"op": "quit", "text": "see you"}

    def test_tab(self) -> None:
        """Commands, rooms and names are completed where they can stand."""
        assert candidates(self.controller, "/me")[1] == ["/me "]
        assert candidates(self.controller, "/join lo")[1] == ["#lobby "]
        assert candidates(self.controller, "see #LO")[1] == ["#lobby "]
        assert candidates(self.controller, "B")[1] == ["bob: "]
        assert candidates(self.controller, "dear b")[1] == ["bob "]
        assert candidates(self.controller, "an")[1] == []


class TimeTests(SynchronousTestCase):
    def test_time_of_day(self) -> None:
        """A time of day is the last moment at which it was that."""
        now = float(FIRST_SECOND)
        for text in ("0:00", "07:59:59", "23:59"):
            then = time_of_day(text, now) / 1000
            assert now - 90_000 < then <= now
        for wrong in ("24:00", "1:2", "noon", ""):
            self.assertRaises(ChatError, time_of_day, wrong, now)
