from __future__ import annotations

import re

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.client.fakes import FIRST_SECOND, FakeServer, connect
from twistedchat.client.commands import COMMANDS
from twistedchat.client.completion import candidates
from twistedchat.client.desk import Desk
from twistedchat.client.history import time_of_day
from twistedchat.client.terminal import PlainTerminal
from twistedchat.errors import ChatError


class Output:
    """Standard output, kept."""

    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> None:
        self.written += text

    def pause_input(self) -> None: ...

    def resume_input(self) -> None: ...


class DeskTests(SynchronousTestCase):
    """A person at a terminal that takes lines, with a server in memory."""

    @override
    def setUp(self) -> None:
        self.server, self.clock, self.output = FakeServer(), Clock(), Output()
        self.clock.rightNow = FIRST_SECOND + 3600.0
        self.desk = Desk("ann", self.clock.seconds)
        self.terminal = PlainTerminal(self.desk)
        self.terminal.stream = self.output
        self.desk.enter("lobby")
        connect(self.server, self.desk.conversation, self.clock)
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
        """Every command is in /help, and /help tells about each, also by its other names."""
        shown = "\n".join(self.typed("/help"))
        for command in COMMANDS:
            assert f"/{command.names[0]}" in shown
            assert self.typed(f"/help {command.names[-1]}")[0].startswith(f"*** {command.title}")

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
        assert self.server.logs.get("lobby", []) == []

    def test_rooms(self) -> None:
        """Several rooms: the one talked in is plain, the others are named."""
        assert self.typed("/join #dev") == ["*** You are ann, in #dev with bob."]
        self.server.say("in the lobby")
        assert self.written() == ["[TIME] #lobby bob: in the lobby"]
        assert self.typed("here") == ["[TIME] ann: here"]
        assert self.typed("/rooms") == ["*** #dev (2 people, you too)", "*** #lobby (2 people, you too)"]
        assert self.typed("/join lobby") == ["*** You talk in #lobby now."]
        assert self.typed("/leave") == ["*** You talk in #dev now.", "*** You left #lobby."]
        assert self.typed("/leave", "lost")[-1].startswith("*** You are in no room")

    def test_a_closed_room(self) -> None:
        """One that does not let in is told, and one talks on where one was."""
        assert "*** #closed is closed." in self.typed("/join closed")
        assert self.typed("hello") == ["[TIME] ann: hello"]

    def test_people(self) -> None:
        """/who, /nick, /msg and /reply."""
        assert self.typed("/who") == ["*** ann and bob are in #lobby."]
        assert self.typed("/nick eve") == ["*** You were ann and are eve now."]
        assert self.typed("/msg eve psst") == ["*** eve tells you: psst", "*** You tell eve: psst"]
        assert self.typed("/reply what") == ["*** eve tells you: what", "*** You tell eve: what"]

    def test_ignoring(self) -> None:
        """Nothing of somebody who is ignored is shown."""
        assert self.typed("/ignore BOB") == ["*** You ignore bob."]
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
        assert self.typed("/history 1 before 2")[-1] == "*** That is where it began."
        assert self.typed("/since 28") == ["*** From 29 on in #lobby:", "[TIME] bob: line 29", "[TIME] bob: line 30"]

    def test_since_a_time(self) -> None:
        """A time of day is found in the log, in a few steps."""
        for number in range(1, 101):
            self.server.say(f"line {number}")
        self.written()
        self.server.asked.clear()
        seconds = FIRST_SECOND + 59
        found = next(
            text
            for text in (f"{h:02}:{m:02}:{s:02}" for h in range(24) for m in range(60) for s in range(60))
            if time_of_day(text, self.clock.seconds()) == seconds * 1000
        )
        assert self.typed(f"/since {found}")[1] == "[TIME] bob: line 60"
        assert len(self.server.asked) < 12

    def test_wishes(self) -> None:
        """/set changes how things are shown."""
        assert self.typed("/set seq on") == ["*** Set: seq on, presence on, bell off."]
        assert self.typed("hi") == ["[TIME 1] ann: hi"]
        assert self.typed("/set bell on", "/set presence off")[-1] == "*** Set: seq on, presence off, bell on."
        self.server.say("ann!")
        assert self.written()[-1].endswith("\a")
        self.server.peer.send(type="presence", room="lobby", joined=["x"], left=[], renamed=[], count=3)
        assert self.written() == []

    def test_a_lost_server(self) -> None:
        """Losing the server and finding it again is said once, and nothing else."""
        self.server.down = True
        self.server.lose()
        self.clock.advance(1)
        self.clock.advance(1)
        self.server.down = False
        self.clock.advance(1)
        assert self.written() == [
            "*** The connection to here is lost. Trying to connect again.",
            "*** Connected again.",
        ]
        assert self.typed("/ping") == ["*** The server answers within 0 ms."]

    def test_a_lost_name(self) -> None:
        """Whoever's name was taken meanwhile is told so, once, and can take another."""
        self.server.forgets = True
        self.server.taken.add("ann")
        self.server.lose()
        self.clock.advance(1)
        self.server.run()
        self.clock.advance(1)
        self.server.run()
        assert self.written() == ["*** The connection to here is lost. Trying to connect again.", "*** ann is taken."]
        self.typed("/nick eve")
        self.clock.advance(1)
        assert self.written()[-1] == "*** Connected again."
        assert self.typed("hi") == ["[TIME] eve: hi"]

    def test_leaving(self) -> None:
        """/quit leaves."""
        self.typed("/quit")
        assert self.terminal.done.called

    def test_tab(self) -> None:
        """Commands, rooms and names are completed where they can stand."""
        assert candidates(self.desk, "/me")[1] == ["/me "]
        assert candidates(self.desk, "/join lo")[1] == ["#lobby "]
        assert candidates(self.desk, "see #LO")[1] == ["#lobby "]
        assert candidates(self.desk, "B")[1] == ["bob: "]
        assert candidates(self.desk, "dear b")[1] == ["bob "]
        assert candidates(self.desk, "an")[1] == []


class TimeTests(SynchronousTestCase):
    def test_time_of_day(self) -> None:
        """A time of day is the last moment at which it was that."""
        now = float(FIRST_SECOND)
        for text in ("0:00", "07:59:59", "23:59"):
            then = time_of_day(text, now) / 1000
            assert now - 90_000 < then <= now
        for wrong in ("24:00", "1:2", "noon", ""):
            self.assertRaises(ChatError, time_of_day, wrong, now)
