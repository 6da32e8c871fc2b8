"""The rules by which clients come, enter rooms, and go."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.fakes import JsonPeer, PlainPeer
from tests.promises.book import HISTORY, Connection, Person, View
from tests.promises.crowd import ANYONE, ROOM, SELDOM, Crowd

__all__ = ["Coming"]


class Coming(Crowd):
    """Somebody comes, or enters a room."""

    @precondition(lambda self: len(self.people) < 10)
    @rule(buffer_bytes=st.sampled_from([100, 4096, 1 << 20]), tls=SELDOM)
    def come_as_person(self, buffer_bytes: int, tls: bool) -> None:
        """Somebody comes by telnet."""
        person = self._someone(f"ann{len(self.people)}", PlainPeer(self.world, buffer_bytes=buffer_bytes, tls=tls))
        self._enter(person, "lobby")
        self.type_in(person, person.names[0])

    @precondition(lambda self: len(self.people) < 10)
    @rule(buffer_bytes=st.sampled_from([100, 4096, 1 << 20]), room=ROOM, tls=SELDOM)
    def come_as_program(self, buffer_bytes: int, room: str, tls: bool) -> None:
        """A program comes, and joins a room."""
        person = self._someone(f"bot{len(self.people)}", JsonPeer(self.world, buffer_bytes=buffer_bytes, tls=tls))
        self.ask(person, "hello", name=person.names[0])
        self.join_room(person, room, None)

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, room=ROOM, after=st.sampled_from(["newest", "seen", "start", "some", "future"]), back=ANYONE)
    def join(self, who: int, room: str, after: str, back: int) -> None:
        """Somebody enters a room; a program may do so again, or say from where."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self._enter(person, room)
            self.type_in(person, f"/join #{room}")
            return
        length = len(self.log.get(room, ()))
        places = {"seen": person.rooms.get(room), "start": 0, "some": max(0, length - back), "future": length + 1000}
        self.join_room(person, room, places.get(after))

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, back=ANYONE)
    def look_back(self, who: int, back: int) -> None:
        """Somebody at telnet wants to see again what was said."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self.type_in(person, f"/since {max(0, len(self.log.get(person.room, ())) - back)}")

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, numbered=st.booleans())
    def set_format(self, who: int, numbered: bool) -> None:
        """Somebody at telnet wants to be shown the numbers of the events, or not."""
        person = self.one_of(self.talkers, who)
        if not person.connection.is_program:
            self.type_in(person, f"/set seq {'on' if numbered else 'off'}")

    @precondition(lambda self: self.some_program_talks)
    @rule(who=ANYONE)
    def leave(self, who: int) -> None:
        """A program leaves a room."""
        person = self.one_of(self.programs, who)
        if person.rooms:
            room = next(iter(person.rooms))
            del person.rooms[room]
            self.ask(person, "leave", room=room)

    def _someone(self, name: str, peer: PlainPeer | JsonPeer) -> Person:
        person = Person([name])
        person.connection = Connection(person, peer, known_as=name)
        self.people.append(person)
        self.connections.append(person.connection)
        return person

    def _enter(self, person: Person, room: str) -> None:
        person.room = room
        if room not in person.rooms:
            person.rooms[room] = 0
            start = max(0, len(self.log.get(room, ())) - HISTORY)
            person.connection.views[room] = View(start, exact=False)

    def join_room(self, person: Person, room: str, after: int | None) -> None:
        """Let a program join a room, after a seq or where the newest events are."""
        person.rooms.setdefault(room, 0)
        fields = {} if after is None else {"after": after}
        self.ask(person, "join", room=room, **fields)
