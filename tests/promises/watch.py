"""Reads what every client is sent, and holds it against the log.

What is checked here holds for all promises: nothing is shown that is not in the log, nothing is logged as
an error, and nobody is let go who reads.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.promises.book import HELLO, HISTORY, ROOMS, Connection, Person, Private, Sent, View
from twistedchat.doors.wire import STALL_SECONDS
from twistedchat.events import Kind
from twistedchat.formats.jsonl import iso
from twistedchat.tags import split_tags

if TYPE_CHECKING:
    from tests.fakes import World
    from twistedchat.events import Event

__all__ = ["Watch"]

_EVENT = re.compile(
    r"\[\d\d:\d\d:\d\d(?: (?P<seq>\d+))?\] (#(?P<room>\S+) )?(?:-(?P<notifier>\S+)- |(?P<who>\S+): )(?P<text>.*)"
)
_SINCE = re.compile(r"\*\*\* From (\d+) on in #(\w+):")
_TELLS = re.compile(r"\*\*\* (\S+) tells you: (.*)")
_TOLD = re.compile(r"\*\*\* You tell \S+: (.*)")


class Watch(RuleBasedStateMachine):
    """A world, the book on its clients, and what a promise may want to know."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Person] = []
        self.connections: list[Connection] = []
        self.by_text: dict[str, Event] = {}
        self.sendings: Counter[str] = Counter()
        self.tags: dict[str, dict[str, str]] = {}
        self.private: dict[str, Private] = {}
        self.looked = dict.fromkeys(ROOMS, 0)
        self.texts = 0

    def saw(self, connection: Connection, view: View, event: Event) -> None:
        """A connection was shown an event, which is not yet in ``view.events``."""

    def answered(self, connection: Connection, sent: Sent, answer: dict[str, Any]) -> None:
        """A program was answered for a line."""

    def rested(self) -> None:
        """The store works, everybody who is still there has read everything, and nothing is under way."""

    @property
    def log(self) -> dict[str, list[Event]]:
        """What stands in the log of each room."""
        return self.world.held.log

    # -- looking ---------------------------------------------------------------------------------

    @invariant()
    def look(self) -> None:
        """Read what everybody was sent."""
        if not hasattr(self, "world"):
            return
        self._read_log()
        for connection in self.connections:
            for news in connection.news():
                if connection.is_program:
                    self._look_at_message(connection, news)
                else:
                    self._look_at_line(connection, news)
            if connection.owed and connection.peer.over:
                self._has_ended(connection)
        assert not self.world.faults

    def _read_log(self) -> None:
        for room in ROOMS:
            log = self.log.get(room, [])
            for event in log[self.looked[room] :]:
                self.by_text.setdefault(event.text, event)
                assert event.text not in self.private, f"{event} was said to one person alone"
                assert split_tags(event.tags) == self.tags.get(event.text, {}), f"{event} has other tags"
            self.looked[room] = len(log)

    def _has_ended(self, connection: Connection) -> None:
        """The server has closed a connection: the peer wants to end, or has taken nothing for too long."""
        idle = self.world.reactor.rightNow - connection.stopped_at
        stalled = not connection.peer.reading and idle >= STALL_SECONDS
        assert stalled or connection.ending, f"{connection.name} was let go, and had taken nothing for {idle} s at most"
        connection.owed = not stalled

    def _look_at_message(self, connection: Connection, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self._look_at_event(connection, message)
        elif message["type"] == "tell":
            self._look_at_private(connection, message["who"], message["text"])
        elif "re" in message:
            id_ = message["re"]
            connection.answers.setdefault(id_, []).append(message)
            if connection.refused:
                self._look_at_refusal(connection)
            elif id_ in connection.sent:
                self.answered(connection, connection.sent[id_], message)
            elif id_ in connection.asked:
                self._look_at_answer(connection, connection.asked[id_], message)

    def _look_at_refusal(self, connection: Connection) -> None:
        """Its hello was refused, and so is the rest: the name is that of a session whose token it was not told."""
        person = connection.person
        before = [other for other in self.connections if other.person is person and other is not connection]
        assert connection.answers[HELLO][0]["code"] == "name-taken"
        assert any(HELLO not in other.answers for other in before), f"{connection.name} is refused its own name"
        connection.owed = False
        person.token = ""

    def _look_at_answer(self, connection: Connection, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        person = connection.person
        if asked["op"] == "tell":
            self.private[asked["text"]].taken = answer["type"] == "ok"
            assert answer.get("code") in {None, "not-here", "not-reading"}, f"{asked} got {answer}"
            return
        assert answer["type"] != "error", f"{asked} got {answer}"
        if answer["type"] == "welcome":
            person.token = answer["session"]
        elif answer["type"] == "joined":
            last = answer["seq"]
            after = min(asked.get("after", max(0, last - HISTORY)), last)
            connection.views[answer["room"]] = View(after, exact=True)
            if person.connection is connection and answer["room"] in person.rooms:
                person.rooms[answer["room"]] = after
        elif asked["op"] == "leave":
            connection.views.pop(asked["room"], None)

    def _look_at_event(self, connection: Connection, message: dict[str, Any]) -> None:
        room, seq = message["room"], message["seq"]
        log = self.log.get(room, [])
        assert seq <= len(log), f"{connection.name} was shown what is not stored: {message}"
        event = log[seq - 1]
        said = {"at": iso(event.at), "kind": event.kind, "who": event.who, "text": event.text}
        assert {key: message[key] for key in said} == said, f"{connection.name} was shown something else than {event}"
        assert message.get("tags", {}) == split_tags(event.tags), f"{connection.name} was shown other tags: {event}"
        assert room in connection.views, f"{connection.name} is not in #{room}, and was shown {message}"
        self._shown(connection, event)

    def _look_at_line(self, connection: Connection, line: str) -> None:
        since = _SINCE.fullmatch(line)
        if since:
            connection.views[since[2]] = View(int(since[1]) - 1, exact=True)
        tells = _TELLS.fullmatch(line)
        if tells:
            self._look_at_private(connection, tells[1], tells[2])
        told = _TOLD.fullmatch(line)
        if told:
            self.private[told[1]].taken = True
        found = _EVENT.fullmatch(line)
        if found:
            event = self.by_text.get(found["text"])
            assert event, f"{connection.name} was shown what is not stored: {line}"
            assert event.who == (found["notifier"] if event.kind is Kind.NOTICE else found["who"]), (
                f"{connection.name} was shown something else than {event}: {line}"
            )
            assert found["seq"] in {None, str(event.seq)}, f"{connection.name} was shown {event} as {line}"
            assert found["room"] in (None, event.room), f"{connection.name} was shown {event} in another room: {line}"
            self._shown(connection, event)

    def _look_at_private(self, connection: Connection, who: str, text: str) -> None:
        private = self.private[text]
        assert private.to is connection.person, f"{connection.name} was told what is for {private.to.names[0]}: {text}"
        assert who in private.sender.names, f"{who} never was the name of {private.sender.names[0]}"
        assert not private.seen, f"{connection.name} was told twice: {text}"
        private.seen = True

    def _shown(self, connection: Connection, event: Event) -> None:
        view = connection.views[event.room]
        self.saw(connection, view, event)
        view.events.append(event)
        connection.seen.add(event.text)
        person = connection.person
        if person.connection is connection and event.room in person.rooms:
            person.rooms[event.room] = event.seq
