"""A room without a server, and readers that take what they are shown as long as a test wants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Event, Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.formats.plain import PlainFormat
from twistedchat.rooms.audience import Member
from twistedchat.rooms.room import Room
from twistedchat.rooms.tail import Budget
from twistedchat.stores.base import RoomSummary
from twistedchat.writer import Queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.formats.base import Format, Page

__all__ = ["JSON", "PLAIN", "RoomTestCase", "Screen", "events", "seqs"]

PLAIN, JSON = PlainFormat(), JsonFormat()


class Screen:
    """An outlet.

    Attributes:
        full: Whether it takes nothing.
        broken: Whether it raises whatever it is shown.
        shown: The data of each page and change that was taken.
        told: What else it was told.
    """

    def __init__(self) -> None:
        self.full = self.broken = False
        self.shown: list[bytes] = []
        self.told: list[str] = []

    def show(self, page: Page) -> bool:
        return self.show_presence(page.data)

    def show_presence(self, data: bytes) -> bool:
        if self.broken:
            raise ZeroDivisionError
        if not self.full:
            self.shown.append(data)
        return not self.full

    def caught_up(self, room: str) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.told.append(f"caught up in {room}")

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        self.told.append(f"{room} can't be read{', ever' if passed_over else ''}")

    def log_lost(self, room: str) -> None:
        self.told.append(f"{room} has lost its end")

    def fault(self) -> None:
        self.told.append("fault")
        if self.broken:
            raise ZeroDivisionError

    @property
    def text(self) -> str:
        """All that was taken."""
        return b"".join(self.shown).decode()


def events(first: int, last: int, text: str = "hi") -> list[Event]:
    return [Event("lobby", seq, 0, Kind.SAY, "ann", text) for seq in range(first, last + 1)]


def seqs(screen: Screen) -> list[int]:
    """What a screen in JSON was shown."""
    return [json.loads(line)["seq"] for line in screen.text.splitlines()]


class RoomTestCase(SynchronousTestCase):
    """An empty room."""

    @override
    def setUp(self) -> None:
        self.reported: list[str] = []
        self.budget = Budget()
        self.room = self.make_room()

    def make_room(self, name: str = "lobby", *, seq: int = 0) -> Room:
        summary = RoomSummary(name, seq, 0, "")
        return Room(summary, Queue(name), self.budget, lambda member: self.reported.append(member.name))

    def enter(self, name: str, format_: Format = JSON, *, cursor: int | None = None) -> tuple[Member, Screen]:
        """Somebody who comes in and stands at the end, unless another cursor is given."""
        screen = Screen()
        member = Member(name, screen, format_, self.room.seq if cursor is None else cursor)
        self.room.audience.add(member)
        self.room.presence.joined(member)
        return member, screen

    def leave(self, member: Member, why: str = "") -> None:
        self.room.audience.remove(member)
        self.room.presence.left(member, why)

    def say(self, new: Sequence[Event]) -> None:
        """The log has these, and the members are shown them."""
        self.room.extend(new)
        for _ in self.room.audience.deal(new):
            pass
