"""The rules by which clients go, and come back."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.fakes import JsonPeer
from tests.promises.book import Connection
from tests.promises.coming import Coming
from tests.promises.crowd import ANYONE, SELDOM
from tests.promises.talking import Talking

__all__ = ["Going"]


class Going(Talking, Coming):
    """Somebody goes, or comes back."""

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, quit_=st.booleans())
    def end(self, who: int, quit_: bool) -> None:
        """Somebody says no more, and waits for the answers: by half-close, or by a quit."""
        person = self.one_of(self.talkers, who)
        person.connection.ending = True
        if not quit_:
            person.connection.peer.end()
            # Twisted's TLS has no half-close: the server can't answer any more.
            person.connection.owed = not person.connection.peer.tls
        elif isinstance(person.connection.peer, JsonPeer):
            person.connection.peer.ask("quit")
            person.token = ""
        else:
            self.type_in(person, "/quit good night")

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, reset=st.booleans())
    def vanish(self, who: int, reset: bool) -> None:
        """Somebody is gone."""
        person = self.one_of(self.talkers, who)
        person.connection.owed = False
        if reset:
            person.connection.peer.reset()
        else:
            person.connection.peer.close()

    @precondition(lambda self: any(person.token for person in self.people))
    @rule(who=ANYONE, buffer_bytes=st.sampled_from([100, 4096]), send_again=st.booleans(), tls=SELDOM)
    def come_back(self, who: int, buffer_bytes: int, send_again: bool, tls: bool) -> None:
        """A program takes its session up; its old connection may be lost, or seem open, or be half closed."""
        person = self.one_of([person for person in self.people if person.token], who)
        self.look()
        before = person.connection
        before.owed = False
        before.peer.stop_reading()
        person.connection = Connection(person, JsonPeer(self.world, buffer_bytes=buffer_bytes, tls=tls))
        self.connections.append(person.connection)
        rooms, person.rooms = dict(person.rooms), {}
        self.ask(person, "hello", name=person.names[-1], resume=person.token)
        for room, seen in rooms.items():
            self.join_room(person, room, seen)
            person.rooms[room] = seen
        if send_again:
            sent = [line for id_, line in before.sent.items() if line.key and id_ not in before.answers]
            self.say_lines(person, [replace(line, who=None) for line in sent if line.room in rooms])
