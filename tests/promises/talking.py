"""The rules by which clients talk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.fakes import JsonPeer
from tests.promises.book import Private, Sent
from tests.promises.crowd import ANYONE, ROOM, Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.promises.book import Person

__all__ = ["Talking"]


class Talking(Crowd):
    """Somebody says something."""

    @precondition(lambda self: self.someone_talks)
    @rule(
        who=ANYONE,
        lines=st.integers(1, 3),
        size=st.sampled_from([0, 0, 500]),
        keyed=st.booleans(),
        is_odd=st.booleans(),
    )
    def say(self, who: int, lines: int, size: int, keyed: bool, is_odd: bool) -> None:
        """Somebody says some lines, in one piece; those of a program may be notices with tags."""
        person = self.one_of(self.talkers, who)
        rooms = list(person.rooms) if person.connection.is_program else [person.room]
        if rooms:
            room = rooms[who % len(rooms)]
            self.say_lines(person, [self._line(room, size, keyed=keyed, is_odd=is_odd) for _ in range(lines)])

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE)
    def flood(self, who: int) -> None:
        """Somebody pastes something long."""
        self.say(who, 40, 200, keyed=True, is_odd=True)

    @precondition(lambda self: any(person.keyed for person in self.programs))
    @rule(who=ANYONE, which=ANYONE, other_text=st.booleans(), times=st.integers(1, 2))
    def say_again(self, who: int, which: int, other_text: bool, times: int) -> None:
        """A program sends a line again with its key, and once more; by mistake it may not be the same line."""
        person = self.one_of([person for person in self.programs if person.keyed], who)
        before = person.keyed[which % len(person.keyed)]
        if before.room not in person.rooms:
            return
        text = self.new_text() if other_text else before.text
        self.say_lines(person, [replace(before, text=text)] * times)

    @precondition(lambda self: any(person.keyed for person in self.people))
    @rule(who=ANYONE, room=ROOM)
    def use_anothers_key(self, who: int, room: str) -> None:
        """A key counts for everybody in its room, and means nothing in another."""
        key = self.one_of([person for person in self.people if person.keyed], who).keyed[-1].key
        for person in self.programs:
            if room in person.rooms:
                self.say_lines(person, [Sent(room, self.new_text(), key)])
                break

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE)
    def rename(self, who: int) -> None:
        """Somebody takes another name, under which stands what is sent from now on."""
        person = self.one_of(self.talkers, who)
        self.texts += 1
        person.names.append(f"{person.names[0]}.{self.texts}")
        person.connection.known_as = person.names[-1]
        if person.connection.is_program:
            self.ask(person, "rename", name=person.names[-1])
        else:
            self.type_in(person, f"/nick {person.names[-1]}")

    @precondition(lambda self: self.someone_talks)
    @rule(who=ANYONE, whom=ANYONE)
    def tell(self, who: int, whom: int) -> None:
        """Somebody says something to one person alone, who may be gone, or called otherwise by now."""
        person, to = self.one_of(self.talkers, who), self.one_of(self.people, whom)
        text = self.new_text()
        self.private[text] = Private(person, to)
        if person.connection.is_program:
            self.ask(person, "tell", to=to.names[-1], text=text)
        else:
            self.type_in(person, f"/msg {to.names[-1]} {text}")

    def _line(self, room: str, size: int, *, keyed: bool, is_odd: bool) -> Sent:
        text = self.new_text(size)
        line = Sent(room, text, f"key of {text[:10]}" if keyed else None)
        return replace(line, op="notice", tags={"+of": f"{text[:10]}; tea"}) if is_odd else line

    def say_lines(self, person: Person, lines: Sequence[Sent]) -> None:
        """Let somebody say these lines, in one piece."""
        connection = person.connection
        self.sendings.update(line.text for line in lines)
        if not connection.is_program:
            for line in lines:
                line.key, line.who = None, connection.known_as
                connection.sent[len(connection.sent) + 1] = line
            self.type_in(person, *[line.text for line in lines])
            return
        assert isinstance(connection.peer, JsonPeer)
        for line in lines:
            line.who = connection.known_as
            connection.sent[connection.peer.last_id + 1] = line
            self.tags[line.text] = line.tags
            connection.peer.prepare(line.op, room=line.room, text=line.text, key=line.key, tags=line.tags)
            if line.key:
                person.keyed.append(line)
        self.world.run()
