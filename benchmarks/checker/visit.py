"""One connection of a program: what it asks, is answered and is shown; the judge hears of all of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.checker.judge.records import Line, mark_of
from benchmarks.checker.wire import SILENCE_SECONDS, Asker, Refused
from benchmarks.checker.world import event_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.checker.judge.names import Tenure
    from benchmarks.checker.wire import Wire
    from benchmarks.checker.world import World

__all__ = ["Self", "Visit"]

MOST_WAITING = 200
"""Most lines of one program that wait for an answer. Source: what the server takes at once, docs/protocol.md."""

_NEVER = float("inf")


@dataclass(slots=True)
class Self:
    """What a program keeps when its connection is lost.

    Attributes:
        name: The name that it has, or wants.
        contested: Whether others want it too.
        rooms: Where it is, and the last seq that it was shown there.
        token: Takes its session up.
        tenure: The session, as the judge knows it.
        unsure: Lines with a key that are to be sent again.
    """

    name: str
    contested: bool
    rooms: dict[str, int | None]
    token: str = ""
    tenure: Tenure | None = None
    unsure: list[Line] = field(default_factory=list)


class Visit:
    """One connection.

    Args:
        world: What all share.
        wire: The connection; nothing was sent on it.
        me: Whose it is.

    Attributes:
        lazy_seconds: So long it will not read before it looks at the next line.
        leaves: Whether it has said that it leaves.
    """

    def __init__(self, world: World, wire: Wire, me: Self) -> None:
        self.me = me
        self.lazy_seconds = 0.0
        self.leaves = False
        self._world = world
        self._wire = wire
        self._asker = Asker(wire)
        self._waiting: dict[int, Line] = {}
        self._joining: dict[int, int | None] = {}
        self._here: dict[str, set[str]] = {}
        self._tenure: Tenure | None = None
        self._heard_at = world.now
        self._ready_since = _NEVER

    # -- what comes ------------------------------------------------------------------------------

    async def read(self) -> None:
        """Take what comes, until the connection ends."""
        try:
            async for line in self._wire.lines():
                self._heard_at = self._world.now
                if line.startswith("{"):
                    self._take(json.loads(line))
                await self._doze()
        finally:
            self._over()

    async def _doze(self) -> None:
        until = self._world.now + self.lazy_seconds
        while self._world.talking and self._world.now < until:
            await asyncio.sleep(0.1)
        if self.lazy_seconds:
            self._ready_since = self._world.now
        self.lazy_seconds = 0.0

    def _over(self) -> None:
        self._ready_since = _NEVER
        self._asker.over()
        self._wire.abort()
        if self.me.tenure is self._tenure:
            self.me.unsure += [line for line in self._waiting.values() if line.keyed]
        for room in self.me.rooms:
            self._world.judge.views.ends(self._wire.label, room)
        names = self._world.judge.names
        names.closed(self._wire.label, self._world.now, leaves=self.leaves, alive_at=self._heard_at)

    def _take(self, message: dict[str, Any]) -> None:
        type_ = message["type"]
        if type_ == "event":
            self._shown(message)
        elif type_ == "tell":
            self._world.judge.tells.arrived(message["text"], message["who"], self.me.name)
        elif type_ == "presence":
            self._presence(message)
        elif message.get("re") in self._waiting:
            self._told(self._waiting.pop(message["re"]), message)
        else:
            if type_ == "welcome":
                self._welcomed(message)
            elif type_ == "joined":
                self._joined(message)
            self._asker.answered(message)

    def _shown(self, message: dict[str, Any]) -> None:
        judge, label = self._world.judge, self._wire.label
        event = event_of(message)
        judge.lines.shown(event, label)
        judge.views.shown(label, event)
        judge.logs.saw(event, label)
        judge.prompt.shown(event.room, event.seq, label[-1], self._world.now, self._ready_since)
        if self.me.tenure is self._tenure:
            self.me.rooms[event.room] = max(event.seq, self.me.rooms[event.room] or 0)

    def _presence(self, message: dict[str, Any]) -> None:
        room, left, renamed = message["room"], message.get("left", ()), dict(message.get("renamed", ()))
        for name in left:
            self._world.judge.names.told_left(self._wire.label, room, name, self._world.now)
        here = self._here.setdefault(room, set())
        here -= {*left, *renamed}
        here |= {*message.get("joined", ()), *renamed.values()}

    def _told(self, line: Line, message: dict[str, Any]) -> None:
        lines, label = self._world.judge.lines, self._wire.label
        if message["type"] == "ok":
            lines.stored(line, label, message["room"], message["seq"], again=message.get("again", False))
            return
        lines.refused(line, label)
        if message["code"] != "not-stored":
            told = f"{label} was answered {message} for {line}"
            self._world.judge.verdict.against("refused-without-reason", (label, message["code"]), told)
        elif line.keyed:
            self.me.unsure.append(line)

    def _welcomed(self, message: dict[str, Any]) -> None:
        me, world = self.me, self._world
        before = me.tenure if me.token else None
        self._tenure = me.tenure = world.judge.names.welcomed(
            self._wire.label,
            message["name"],
            before,
            world.now,
            resumed=message["resumed"],
            contested=me.contested,
        )
        me.token, me.name = message["session"], message["name"]
        world.told_identity(message["log"], self._wire.label)

    def _joined(self, message: dict[str, Any]) -> None:
        judge, label, room = self._world.judge, self._wire.label, message["room"]
        after, last = self._joining.pop(message["re"]), message["seq"]
        if after is not None and last < after:
            told = f"{label} asked for #{room} after {after}, and was told that it ends at {last}"
            judge.verdict.against("end-of-log-lost", (label, room), told)
        # Without "after" the last 20 are shown, or as many as the server's --history says.
        judge.views.begins(label, room, None if after is None else min(after, last))
        if after is None and not last:
            judge.views.begins(label, room, 0)
        judge.names.entered(label, room)
        self._here[room] = set(message["members"])
        self.me.rooms[room] = min(after, last) if after is not None else None if last else 0

    # -- what is asked ---------------------------------------------------------------------------

    async def enter(self) -> None:
        """Say who one is, and go into the rooms.

        Raises:
            Refused: The name is another's, or the node is not ready.
        """
        self._world.judge.stays.comes(self._wire.label, self.me.name, self._world.now)
        try:
            await self._asker.ask("hello", name=self.me.name, resume=self.me.token or None)
        except Refused as error:
            if error.code == "name-taken" and self.me.token:
                self._world.judge.names.denied(self._wire.label, self.me.tenure, self._world.now)
            raise
        await asyncio.gather(*map(self.join, list(self.me.rooms)))
        self._ready_since = self._world.now

    async def join(self, room: str) -> None:
        """Enter a room, and be shown what was missed."""
        after = self.me.rooms[room]
        self._joining[self._asker.next_number] = after
        await self._asker.ask("join", room=room, after=after)

    async def rejoin(self, room: str, seconds: float) -> None:
        """Leave a room, and enter it again after a while; what is shown then may be as old as that."""
        self._ready_since = _NEVER
        self._world.judge.names.leaves(self._wire.label)
        await self._asker.ask("leave", room=room)
        self._world.judge.views.ends(self._wire.label, room)
        self._here.pop(room, None)
        self._world.judge.names.left(self._wire.label, room, self._world.now)
        await asyncio.sleep(seconds)
        await self.join(room)
        self._ready_since = self._world.now

    def say(self, line: Line) -> None:
        """Send a line; what becomes of it is heard later."""
        assert self._tenure is not None, "it is welcome"  # noqa: S101  our own mistake
        id_ = self._asker.number()
        self._waiting[id_] = line
        self._world.judge.lines.sent(line, self._wire.label, self._tenure.number)
        key = {"key": f"key of {mark_of(line.text)}"} if line.keyed else {}
        self._asker.send(line.kind, id=id_, room=line.room, text=line.text, **key)

    def say_again(self) -> None:
        """Send again what is unsure, in the order in which it was said."""
        lines, self.me.unsure = self.me.unsure, []
        for line in lines:
            self.say(line)

    async def tell(self, to: str, text: str) -> None:
        """Say something to one person alone."""
        tells = self._world.judge.tells
        tells.sent(text, self.me.name, to, self._world.now)
        try:
            await self._asker.ask("tell", to=to, text=text)
        except Refused:
            return
        tells.stored(text, self._world.now)

    async def look_back(self, room: str, events: int) -> None:
        """Read a page of what was said."""
        answer = await self._asker.ask("history", room=room, limit=events)
        for message in answer["events"]:
            self._world.judge.logs.saw(event_of(message), f"history on {self._wire.label}")

    def quit(self) -> None:
        """Leave for good."""
        self.leaves = True
        self.me.token = ""
        self._world.judge.names.leaves(self._wire.label)
        self._asker.send("quit")

    # -- how it stands ---------------------------------------------------------------------------

    @property
    def may_say_more(self) -> bool:
        """Whether not too much waits for an answer."""
        return len(self._waiting) < MOST_WAITING

    @property
    def is_forsaken(self) -> bool:
        """Whether something is waited for, and nothing was heard for long."""
        waits = bool(self._waiting) or self._asker.waits
        return waits and self._world.now - self._heard_at > SILENCE_SECONDS

    def _tell_waiting(self) -> str:
        lines = [*self._waiting.values(), *self.me.unsure]
        marks = ", ".join(mark_of(line.text) for line in lines[:5])
        cursors = {line.room: self._world.judge.views.cursor(self._wire.label, line.room) for line in lines}
        stand = sum(line.seq > 0 for line in lines)
        return f"{len(lines)} lines, {marks} …; {stand} of them stand; it was shown up to {cursors}"

    def sees(self, room: str) -> tuple[str, set[str]] | None:
        """Who is in a room, as it was told, with the connection's label; None if it is not in that room."""
        return (self._wire.label, self._here[room]) if room in self._here else None

    def trouble(self, heads: Mapping[str, int] | None) -> str:
        """What it still waits for."""
        label = self._wire.label
        if self._ready_since == _NEVER:
            return f"{label} is not in yet"
        if self._waiting or self.me.unsure:
            return f"{label} waits for answers to {self._tell_waiting()}"
        if heads is None:
            return ""
        for room in self.me.rooms:
            cursor = self._world.judge.views.cursor(label, room)
            if cursor != heads.get(room, 0):
                return f"{label} was shown #{room} up to {cursor} of {heads.get(room, 0)}"
        return ""
