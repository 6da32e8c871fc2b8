"""Connections that are told in steps who comes and goes, and believe what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tests.ear import Ear
from tests.fakes import now
from twistedchat.irc.format import IrcFormat, Tags
from twistedchat.rooms.steps import StepKind
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.formats.base import Page
    from twistedchat.hub import Hub
    from twistedchat.records import Change
    from twistedchat.rooms.steps import Run, Step

__all__ = ["Onlooker"]


class Onlooker(Ear):
    """A person, and the program that it has: what that knows of a room comes of what it was told.

    Attributes:
        session: The person.
        known: By room: who is there, each with its rank.
        sends: How often it was told something.
        lines: How many steps it was told.
        anew: How often it was shown all who are there.
        strangers: Who is there, spoke, and was not known to be there.
    """

    def __init__(self, hub: Hub, name: str) -> None:
        super().__init__()
        self.hub = hub
        self.known: dict[str, dict[str, str]] = {}
        self.sends = self.lines = self.anew = 0
        self.strangers: list[str] = []
        self.session = Session(hub, self)
        if name:
            now(self.session.enter(name))
        self.format = IrcFormat(Tags.NONE, False, hub.people, "", "server")

    def join(self, room: str) -> None:
        joined = now(self.session.join(room, self.format))
        self.known[room] = {name: self._rank(room, name) for name in joined.names}
        self.session.show_all()

    def leave(self, room: str) -> None:
        self.session.leave(room)
        del self.known[room]

    def rename(self, name: str) -> None:
        before = self.session.name
        now(self.session.rename(name))
        self._renamed(before, self.session.name)

    def mode(self, room: str, changes: Sequence[Change]) -> None:
        self._changed(room, now(self.session.mode(room, changes)).made)

    def kick(self, room: str, name: str) -> None:
        now(self.session.kick(room, name))
        self.known.get(room, {}).pop(name, None)

    @override
    def removed(self, room: str, by: str, why: str) -> None:
        del self.known[room]

    def drain(self) -> None:
        """Take everything again."""
        self.full = False
        self.session.show_all()

    def _rank(self, room: str, name: str) -> str:
        live = self.hub.rooms.get(room)
        return live.charter.rank(name) if live else ""

    # -- what it is told -------------------------------------------------------------------------

    @override
    def show(self, page: Page) -> bool:
        if not self.full:
            there = self.session.names_in(page.events[0].room)
            who = {event.who for event in page.events if event.who in there}
            self.strangers += who - self.known[page.events[0].room].keys()
        return super().show(page)

    def show_steps(self, room: str, run: Run, known: Sequence[int]) -> bool:
        if self.full:
            return False
        self.sends += 1
        for index, step in enumerate(run.steps):
            if index not in known:
                self.lines += 1
                self._take_in(room, step)
        return True

    def show_anew(self, room: str) -> bool:
        if self.full:
            return False
        self.anew += 1
        self.known[room] = {name: self._rank(room, name) for name in self.session.names_in(room)}
        return True

    def _take_in(self, room: str, step: Step) -> None:
        kind = step.kind
        if kind is StepKind.JOIN:
            self.known[room][step.who] = step.rank
        elif kind is StepKind.PART:
            self.known[room].pop(step.who, None)
        elif kind is StepKind.KICK:
            self.known[room].pop(step.target, None)
        elif kind is StepKind.NICK:
            self._renamed(step.who, step.text)
        elif kind is StepKind.MODE:
            self._changed(room, step.changes)
        elif kind is StepKind.QUIT:
            for people in self.known.values():
                people.pop(step.who, None)

    def _renamed(self, before: str, after: str) -> None:
        for people in self.known.values():
            if before in people:
                people[after] = people.pop(before)

    def _changed(self, room: str, changes: Sequence[Change]) -> None:
        people = self.known.get(room, {})
        for change in changes:
            if change.letter in "ov" and change.param in people:
                rank = set(people[change.param]) - {change.letter}
                rank |= {change.letter} if change.sign == "+" else set()
                people[change.param] = "".join(filter(rank.__contains__, "ov"))
