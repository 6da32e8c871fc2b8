"""Many clients that do anything at any time, and a book on what each of them sent and was shown.

A promise is checked by a subclass of `ChatMachine` that overrides what it wants to be told of: `saw`, `answered`,
`rested`. What is checked here holds for all: nothing is shown that is not in the log, nothing is logged as
an error, and nobody is let go who reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from tests.fakes import HeldStore, JsonPeer, PlainPeer, Reactor, World, now
from twistedchat.events import Draft, Kind
from twistedchat.formats.jsonl import iso
from twistedchat.protocols.wire import STALL_SECONDS
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["HISTORY", "PROMISE", "ROOMS", "ChatMachine", "Connection", "Person", "Sent", "View"]

HISTORY = 5
"""So many events is somebody shown who joins without saying from where."""

ROOMS = ("lobby", "den", "attic")
"""The lobby is where people at telnet begin."""

PROMISE = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""Always the same examples, so that a failure is a change in the code."""

_EVENT = re.compile(r"\[\d\d:\d\d:\d\d(?: (?P<seq>\d+))?\] (#(?P<room>\S+) )?(?P<who>\S+): (?P<text>.*)")
_SINCE = re.compile(r"\*\*\* From (\d+) on in #(\w+):")
_NOT_SAID = "*** Your line was not said"


@dataclass(slots=True)
class Sent:
    """A line that somebody sent.

    Attributes:
        room: Where it is to be said.
        text: Unlike that of any other line, except of the same one sent again.
        key: Its mark, or None.
        repeated: It has been sent before.
    """

    room: str
    text: str
    key: str | None = None
    repeated: bool = False


@dataclass(slots=True, eq=False)
class View:
    """What a connection is shown of a room, from a join or ``/since`` on.

    Attributes:
        after: What is shown begins behind this seq; for somebody at telnet at least this.
        exact: Whether that is known exactly.
        events: What was shown so far.
    """

    after: int
    exact: bool
    events: list[Event] = field(default_factory=list)


@dataclass(eq=False)
class Connection:
    """The book on one connection.

    Attributes:
        peer: Its far end.
        views: What it is shown, by room; one that is not shown any more is replaced.
        sent: What was sent, by the id of the request, or by its number for somebody at telnet.
        answers: What was answered, by the id of the request.
        asked: Requests that are not lines to be said, by id.
        seen: The texts that were shown to it.
        refusals: How many lines somebody at telnet was told to be not said.
        owed: Every line is still to be answered, because it has not vanished nor been let go.
        ending: It sends no more, and ends when all is answered.
        stopped_at: When it stopped reading.
        read: How many messages, or bytes, have been looked at.
    """

    name: str
    peer: JsonPeer | PlainPeer
    views: dict[str, View] = field(default_factory=dict)
    sent: dict[int, Sent] = field(default_factory=dict)
    answers: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    refusals: int = 0
    owed: bool = True
    ending: bool = False
    stopped_at: float = 0.0
    read: int = 0

    @property
    def is_program(self) -> bool:
        """Whether it speaks JSON lines."""
        return isinstance(self.peer, JsonPeer)

    def news(self) -> Sequence[Any]:
        """What has come since the last time, a message or a whole line each."""
        if isinstance(self.peer, JsonPeer):
            messages = self.peer.messages[self.read :]
            self.read += len(messages)
            return messages
        whole = self.peer.received[self.read : self.peer.received.rfind(b"\n") + 1]
        self.read += len(whole)
        return whole.decode().splitlines()


@dataclass(eq=False)
class Person:
    """Somebody with a name, who may have one connection after another.

    Attributes:
        name: Unlike any other.
        connection: The newest; not `Connection.owed` while it is lost.
        token: What takes the session up again; "" for somebody at telnet.
        rooms: Where it has asked to be, with the last seq that it has seen there.
        room: Where somebody at telnet talks.
        keyed: The lines that it sent with a key.
    """

    name: str
    connection: Connection
    token: str = ""
    rooms: dict[str, int] = field(default_factory=dict)
    room: str = "lobby"
    keyed: list[Sent] = field(default_factory=list)

    @property
    def talks(self) -> bool:
        """Whether it can say something now."""
        return self.connection.owed and not self.connection.ending


_anyone = st.integers(0, 50)
_room = st.sampled_from(ROOMS)


class ChatMachine(RuleBasedStateMachine):
    """People and programs in three rooms."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Person] = []
        self.connections: list[Connection] = []
        self.by_text: dict[str, Event] = {}
        self.looked = dict.fromkeys(ROOMS, 0)
        self.texts = 0

    # -- what a promise may want to know ---------------------------------------------------------

    def saw(self, connection: Connection, view: View, event: Event) -> None:
        """A connection was shown an event, which is not yet in ``view.events``."""

    def answered(self, connection: Connection, sent: Sent, answer: dict[str, Any]) -> None:
        """A program was answered for a line."""

    def rested(self) -> None:
        """The store works, everybody who is still there has read everything, and nothing is under way."""

    # -- the beginning ---------------------------------------------------------------------------

    @initialize(
        lengths=st.tuples(*[st.sampled_from([0, 3, 40, 1100])] * 3),
        other_rooms=st.sampled_from([0, 100_000]),
        look_seconds=st.sampled_from([0.0, 0.002]),
    )
    def begin(self, lengths: Sequence[int], other_rooms: int, look_seconds: float) -> None:
        """A server whose rooms have a past, of which it may keep only a little in memory."""
        reactor = Reactor()
        store = HeldStore(reactor.seconds)
        for room, length in zip(ROOMS, lengths, strict=True):
            if length:
                store.fill([Draft(room, Kind.SAY, "ghost", self.new_text()) for _ in range(length)])
        self.world = World(reactor=reactor, store=store, history=HISTORY)
        reactor.look_seconds = look_seconds
        # Many rooms have to share the memory: little of each stays in it.
        self.world.hub.pipeline.live_rooms = other_rooms

    @property
    def log(self) -> dict[str, list[Event]]:
        """What stands in the log of each room."""
        return self.world.held.log

    def new_text(self, size: int = 0) -> str:
        """A text that nobody else says, of about this length."""
        self.texts += 1
        return f"t{self.texts}." + "x" * size

    def one_of(self, those: Sequence[Person], who: int) -> Person:
        """One of them."""
        return those[who % len(those)]

    @property
    def talkers(self) -> list[Person]:
        """Everybody who can say something now."""
        return [person for person in self.people if person.talks]

    @property
    def programs(self) -> list[Person]:
        """The programs among them."""
        return [person for person in self.talkers if person.connection.is_program]

    @property
    def someone_talks(self) -> bool:
        """For preconditions."""
        return bool(self.talkers)

    @property
    def some_program_talks(self) -> bool:
        """For preconditions."""
        return bool(self.programs)

    # -- coming ----------------------------------------------------------------------------------

    @precondition(lambda self: len(self.people) < 10)
    @rule(buffer_bytes=st.sampled_from([100, 4096, 1 << 20]))
    def come_as_person(self, buffer_bytes: int) -> None:
        """Somebody comes by telnet."""
        name = f"ann{len(self.people)}"
        person = Person(name, Connection(name, PlainPeer(self.world, buffer_bytes=buffer_bytes)))
        self.people.append(person)
        self.connections.append(person.connection)
        self._enter(person, "lobby")
        self._type(person, name)

    @precondition(lambda self: len(self.people) < 10)
    @rule(buffer_bytes=st.sampled_from([100, 4096, 1 << 20]), room=_room)
    def come_as_program(self, buffer_bytes: int, room: str) -> None:
        """A program comes, and joins a room."""
        name = f"bot{len(self.people)}"
        person = Person(name, Connection(name, JsonPeer(self.world, buffer_bytes=buffer_bytes)))
        self.people.append(person)
        self.connections.append(person.connection)
        self._ask(person, "hello", name=name)
        self._join(person, room, None)

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, room=_room, after=st.sampled_from(["newest", "seen", "start", "some", "future"]), back=_anyone)
    def join(self, who: int, room: str, after: str, back: int) -> None:
        """Somebody enters a room; a program may do so again, or say from where."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self._enter(person, room)
            self._type(person, f"/join #{room}")
            return
        length = len(self.log.get(room, ()))
        places = {"seen": person.rooms.get(room), "start": 0, "some": max(0, length - back), "future": length + 1000}
        self._join(person, room, places.get(after))

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, back=_anyone)
    def look_back(self, who: int, back: int) -> None:
        """Somebody at telnet wants to see again what was said."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self._type(person, f"/since {max(0, len(self.log.get(person.room, ())) - back)}")

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, numbered=st.booleans())
    def set_format(self, who: int, numbered: bool) -> None:
        """Somebody at telnet wants to be shown the numbers of the events, or not."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self._type(person, f"/set seq {'on' if numbered else 'off'}")

    @precondition(lambda self: self.some_program_talks)
    @rule(who=_anyone)
    def leave(self, who: int) -> None:
        """A program leaves a room."""
        person = self.one_of(self.programs, who)
        if person.rooms:
            room = next(iter(person.rooms))
            del person.rooms[room]
            self._ask(person, "leave", room=room)

    def _enter(self, person: Person, room: str) -> None:
        person.room = room
        if room not in person.rooms:
            person.rooms[room] = 0
            start = max(0, len(self.log.get(room, ())) - HISTORY)
            person.connection.views[room] = View(start, exact=False)

    def _join(self, person: Person, room: str, after: int | None) -> None:
        person.rooms.setdefault(room, 0)
        fields = {} if after is None else {"after": after}
        self._ask(person, "join", room=room, **fields)

    def _ask(self, person: Person, op: str, **fields: object) -> None:
        peer = person.connection.peer
        assert isinstance(peer, JsonPeer)
        # Noted before it is sent: the answer may be there at once.
        person.connection.asked[peer.last_id + 1] = {"op": op, **fields}
        peer.ask(op, **fields)

    def _type(self, person: Person, *lines: str) -> None:
        peer = person.connection.peer
        assert isinstance(peer, PlainPeer)
        peer.say(*lines)

    # -- talking ---------------------------------------------------------------------------------

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, lines=st.integers(1, 3), size=st.sampled_from([0, 0, 500]), keyed=st.booleans())
    def say(self, who: int, lines: int, size: int, keyed: bool) -> None:
        """Somebody says some lines, in one piece."""
        person = self.one_of(self.talkers, who)
        rooms = list(person.rooms) if person.connection.is_program else [person.room]
        if rooms:
            room = rooms[who % len(rooms)]
            self._say(person, [self._line(room, size, keyed=keyed) for _ in range(lines)])

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone)
    def flood(self, who: int) -> None:
        """Somebody pastes something long."""
        self.say(who, 40, 200, keyed=True)

    @precondition(lambda self: any(person.keyed for person in self.programs))
    @rule(who=_anyone, which=_anyone, other_text=st.booleans(), times=st.integers(1, 2))
    def say_again(self, who: int, which: int, other_text: bool, times: int) -> None:
        """A program sends a line again with its key, and once more; by mistake it may not be the same line."""
        person = self.one_of([person for person in self.programs if person.keyed], who)
        before = person.keyed[which % len(person.keyed)]
        if before.room not in person.rooms:
            return
        text = self.new_text() if other_text else before.text
        self._say(person, [Sent(before.room, text, before.key, repeated=True)] * times)

    @precondition(lambda self: any(person.keyed for person in self.people))
    @rule(who=_anyone, room=_room)
    def use_anothers_key(self, who: int, room: str) -> None:
        """A key counts for everybody in its room, and means nothing in another."""
        key = self.one_of([person for person in self.people if person.keyed], who).keyed[-1].key
        for person in self.programs:
            if room in person.rooms:
                self._say(person, [Sent(room, self.new_text(), key, repeated=True)])
                break

    def _line(self, room: str, size: int, *, keyed: bool) -> Sent:
        text = self.new_text(size)
        return Sent(room, text, f"key of {text[:10]}" if keyed else None)

    def _say(self, person: Person, lines: Sequence[Sent]) -> None:
        connection = person.connection
        if not connection.is_program:
            for line in lines:
                line.key = None
                connection.sent[len(connection.sent) + 1] = line
            self._type(person, *[line.text for line in lines])
            return
        assert isinstance(connection.peer, JsonPeer)
        for line in lines:
            connection.sent[connection.peer.last_id + 1] = line
            connection.peer.prepare("say", room=line.room, text=line.text, key=line.key)
            if line.key:
                person.keyed.append(line)
        self.world.run()

    # -- reading, or not -------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(who=_anyone)
    def stop_reading(self, who: int) -> None:
        """Somebody takes nothing any more."""
        connection = self.one_of(self.people, who).connection
        if connection.owed and connection.peer.reading:
            connection.peer.stop_reading()
            connection.stopped_at = self.world.reactor.rightNow

    @precondition(lambda self: self.people)
    @rule(who=_anyone)
    def read_again(self, who: int) -> None:
        """Somebody takes everything again."""
        connection = self.one_of(self.people, who).connection
        if connection.owed:
            connection.peer.read_again()

    @precondition(lambda self: self.people)
    @rule(who=_anyone, most_bytes=st.sampled_from([1, 50, 3000]))
    def sip(self, who: int, most_bytes: int) -> None:
        """Somebody takes a little."""
        connection = self.one_of(self.people, who).connection
        if connection.owed and not connection.peer.reading:
            connection.peer.take(most_bytes)

    # -- going, and coming back ------------------------------------------------------------------

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, quit_=st.booleans())
    def end(self, who: int, quit_: bool) -> None:
        """Somebody says no more, and waits for the answers: by half-close, or by a quit."""
        person = self.one_of(self.talkers, who)
        person.connection.ending = True
        if not quit_:
            person.connection.peer.end()
        elif isinstance(person.connection.peer, JsonPeer):
            person.connection.peer.ask("quit")
            person.token = ""
        else:
            self._type(person, "/quit good night")

    @precondition(lambda self: self.someone_talks)
    @rule(who=_anyone, reset=st.booleans())
    def vanish(self, who: int, reset: bool) -> None:
        """Somebody is gone."""
        person = self.one_of(self.talkers, who)
        person.connection.owed = False
        if reset:
            person.connection.peer.reset()
        else:
            person.connection.peer.close()

    @precondition(lambda self: any(person.token for person in self.people))
    @rule(who=_anyone, buffer_bytes=st.sampled_from([100, 4096]), send_again=st.booleans())
    def come_back(self, who: int, buffer_bytes: int, send_again: bool) -> None:
        """A program takes its session up; its old connection may be lost, or seem open, or be half closed."""
        person = self.one_of([person for person in self.people if person.token], who)
        self.look()
        before = person.connection
        before.owed = False
        before.peer.stop_reading()
        person.connection = Connection(person.name, JsonPeer(self.world, buffer_bytes=buffer_bytes))
        self.connections.append(person.connection)
        rooms, person.rooms = dict(person.rooms), {}
        self._ask(person, "hello", name=person.name, resume=person.token)
        for room, seen in rooms.items():
            self._join(person, room, seen)
            person.rooms[room] = seen
        if send_again:
            sent = [line for id_, line in before.sent.items() if line.key and id_ not in before.answers]
            self._say(person, [replace(line, repeated=True) for line in sent if line.room in rooms])

    # -- the store and the time ------------------------------------------------------------------

    @rule(holding=st.booleans(), holding_reads=st.booleans())
    def hold(self, holding: bool, holding_reads: bool) -> None:
        """From now on the disk is slow, or not."""
        self.world.held.holding, self.world.held.holding_reads = holding, holding_reads

    @precondition(lambda self: self.world.held.waiting)
    @rule()
    def release(self) -> None:
        """The disk is done with what it was asked."""
        self.world.held.release()
        self.world.run()

    @rule(broken=st.booleans())
    def wreck(self, broken: bool) -> None:
        """The disk fails, or works again."""
        self.world.held.fault = StoreError("The disk is full.") if broken else None

    @rule()
    def hurry(self) -> None:
        """Until time passes, people do the next thing while the server is still busy with the last."""
        self.world.hurry = True

    @rule(seconds=st.sampled_from([0.001, 0.02, 1.0, 30.0, 70.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.pass_seconds(seconds)

    @rule()
    def rest(self) -> None:
        """Everything is well, and everybody reads, for as long as it takes."""
        store = self.world.held
        store.holding = store.holding_reads = False
        store.fault = None
        store.release()
        for connection in self.connections:
            if connection.owed:
                connection.peer.read_again()
        # Longer than a page is tried again after a failure, and than the pause after a batch.
        self.world.pass_seconds(2.0)
        self.look()
        for connection in self.connections:
            assert connection.peer.over or not connection.ending or not connection.owed, "it has nothing to wait for"
        self.rested()

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
            if connection.owed and connection.peer.over and not connection.ending:
                self._let_go(connection)
        assert not self.world.faults

    def _read_log(self) -> None:
        for room in ROOMS:
            log = self.log.get(room, [])
            for event in log[self.looked[room] :]:
                self.by_text.setdefault(event.text, event)
            self.looked[room] = len(log)

    def _let_go(self, connection: Connection) -> None:
        idle = self.world.reactor.rightNow - connection.stopped_at
        assert not connection.peer.reading, f"{connection.name} reads, and was let go"
        assert idle >= STALL_SECONDS, f"{connection.name} was let go after {idle} seconds"
        connection.owed = False

    def _look_at_message(self, connection: Connection, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self._look_at_event(connection, message)
        elif "re" in message:
            id_ = message["re"]
            connection.answers.setdefault(id_, []).append(message)
            if id_ in connection.sent:
                self.answered(connection, connection.sent[id_], message)
            elif id_ in connection.asked:
                self._look_at_answer(connection, connection.asked[id_], message)

    def _look_at_answer(self, connection: Connection, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        assert answer["type"] != "error", f"{asked} got {answer}"
        person = next(person for person in self.people if person.name == connection.name)
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
        assert room in connection.views, f"{connection.name} is not in #{room}, and was shown {message}"
        self._shown(connection, event)

    def _look_at_line(self, connection: Connection, line: str) -> None:
        connection.refusals += line.startswith(_NOT_SAID)
        since = _SINCE.fullmatch(line)
        if since:
            connection.views[since[2]] = View(int(since[1]) - 1, exact=True)
        found = _EVENT.fullmatch(line)
        if found:
            event = self.by_text.get(found["text"])
            assert event, f"{connection.name} was shown what is not stored: {line}"
            assert event.who == found["who"], f"{connection.name} was shown something else than {event}: {line}"
            assert found["seq"] in {None, str(event.seq)}, f"{connection.name} was shown {event} as {line}"
            assert found["room"] in (None, event.room), f"{connection.name} was shown {event} in another room: {line}"
            self._shown(connection, event)

    def _shown(self, connection: Connection, event: Event) -> None:
        view = connection.views[event.room]
        self.saw(connection, view, event)
        view.events.append(event)
        connection.seen.add(event.text)
        person = next(person for person in self.people if person.name == connection.name)
        if person.connection is connection and event.room in person.rooms:
            person.rooms[event.room] = event.seq

    # -- the end ---------------------------------------------------------------------------------

    @override
    def teardown(self) -> None:
        """All come to rest, leave, and are forgotten."""
        if not hasattr(self, "world"):
            return
        try:
            self.rest()
            for connection in self.connections:
                connection.peer.reset()
            self.world.pass_seconds(70)
            assert not self.world.reactor.getDelayedCalls(), "somebody who is gone is still waited for"
            now(self.world.hub.close())
        finally:
            self.world.close()
