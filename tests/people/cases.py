"""Nodes that share one database, without any room: persons and a server that are not there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.engines import LOOP, new_database, soon
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.people.base import Arrival, DeedKind, Stay
from twistedchat.people.shared import SharedPeople
from twistedchat.postgres.database import Database
from twistedchat.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator, Sequence

    from twistedchat.people.base import Deed, Named
    from twistedchat.records import Change, Standing

__all__ = ["Node", "Somebody", "lapse", "refusal", "refused", "sql", "two_nodes"]


class Somebody:
    """A person; gives everything back when it is closed, as a session does.

    Attributes:
        told: What it was told, as words.
    """

    def __init__(self, people: SharedPeople) -> None:
        self.name = self.token = ""
        self.profile = Profile("plain", "local.ip")
        self.stay = Stay()
        self.arrived: dict[str, int] | None = None
        self.rooms: list[str] = []
        self.told: list[str] = []
        self._people = people

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        if text == "deaf":
            raise ChatError("not-reading", "Later.")
        extra = "" if kind is Kind.SAY and not tags else f" as {kind} with {tags}"
        self.told.append(f"{sender.name}: {text} at {at}{extra}")

    async def undergo(self, deed: Deed) -> None:
        if deed.kind is DeedKind.REMOVE and deed.room not in self.rooms:
            raise ChatError("not-member", "Not there.")
        self.told.append(f"{deed.by}: {deed.kind} {deed.room} {deed.text}")

    def close(self, why: str = "") -> None:
        for room in self.rooms:
            self._people.left(self, room, why)
        self._people.back(self)
        self._people.release(self, self.name, self.token)
        self.name = ""

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:
        self.told.append(f"{code}{' moved' if is_moved else ''}")
        self.close()

    def notify(self, text: str) -> None:
        self.told.append(text)


class Node:
    """A node; also the server that its people are at (`people.base.Home`).

    Attributes:
        others: Who is in rooms on other nodes, as it was told last.
        hints: Renames and parting words that it was told.
        seqs: Where its rooms stand.
        told: What else it was told.
        standings: Ranks and rules of rooms, as it was told last.
        ruled: Who has changed what of them.
    """

    def __init__(self, url: str, name: str) -> None:
        self.database = Database(LOOP, url, name=name)
        self.people = SharedPeople(self.database, LOOP)
        self.others: dict[str, list[str]] = {}
        self.hints: list[object] = []
        self.seqs: dict[str, tuple[int, int]] = {}
        self.told: list[object] = []
        self.standings: dict[str, Standing] = {}
        self.ruled: list[tuple[str, Sequence[Change]]] = []

    async def open(self) -> Node:
        await self.database.open()
        await self.people.open(self)
        return self

    async def stop(self) -> None:
        self.people.stop()
        await self.people.close()
        await self.database.close()

    def die(self) -> None:
        """As by kill -9."""
        self.people._beat.close()  # noqa: SLF001  nothing else ends a node without a word
        self.people._rosters.close()  # noqa: SLF001  likewise
        self.people._changes.close()  # noqa: SLF001  likewise
        self.people.stop()
        for link in (self.database.append, self.database.read, self.database.people, self.database.ear):
            link.close()

    async def come(self, name: str, *rooms: str, resumable: bool = False) -> Somebody:
        somebody = Somebody(self.people)
        somebody.token = await self.people.claim(name, somebody, resumable=resumable)
        somebody.name = name
        for room in rooms:
            self.enter(somebody, room)
        return somebody

    def enter(self, somebody: Somebody, room: str) -> None:
        somebody.rooms.append(room)
        self.people.entered(somebody, room)

    async def watch(self, room: str) -> Sequence[str]:
        """Somebody here is in that room."""
        self.seqs[room] = (0, 0)
        self.others[room] = sorted(await self.people.who(room))
        return self.others[room]

    async def go_on(self, token: str) -> Somebody | None:
        """A lost session is taken up here."""
        arrival = await self.people.resume(token)
        if not isinstance(arrival, Arrival):
            return None
        somebody = Somebody(self.people)
        assert self.people.adopt(somebody, arrival)
        somebody.name, somebody.token, rooms, profile, arrived, _ = arrival
        somebody.arrived = dict(arrived) or None
        assert profile is not None
        somebody.profile = profile
        somebody.rooms += rooms
        return somebody

    # -- as a server ---------------------------------------------------------------------------

    def heads(self) -> Iterator[tuple[str, int, int]]:
        return ((room, seq, at) for room, (seq, at) in self.seqs.items())

    def heard(self, room: str, head: int) -> None:
        self.told.append(("head", room, head))

    def set_others(
        self,
        room: str,
        names: Collection[str],
        *,
        renamed: Iterable[tuple[str, str]] = (),
        left: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.others[room] = sorted(names)
        self.hints += [*renamed, *left]

    def set_rules(self, room: str, standing: Standing, hints: Sequence[tuple[str, Sequence[Change]]]) -> None:
        self.standings[room] = standing
        self.ruled += hints

    def seen_anew(self, name: str, before: Profile, now: Profile, rooms: Collection[str]) -> None:
        self.told.append((name, before.away, now.away, [*rooms]))

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        self.told.append((room, who, at, msg_id, tags))

    def cut_off(self, error: ChatError) -> None:
        self.told.append(f"cut off: {error.code}")

    def joined_up(self) -> None:
        self.told.append("joined up")

    def log_lost(self, room: str, head: int, at: int) -> None:
        self.told.append(("lost", room, head, at))


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[Node, Node]]:
    """Nodes a and b over a database of their own."""
    url = new_database()
    first, second = await Node(url, "a").open(), await Node(url, "b").open()
    try:
        yield first, second
    finally:
        await first.stop()
        await second.stop()


async def refused(ask: Coroutine[Any, Any, object]) -> ChatError:
    """The error with which something is answered."""
    with pytest.raises(ChatError) as raised:
        await soon(ask)
    return raised.value


async def refusal(node: Node, name: str) -> ChatError:
    """The error for somebody who wants a name."""
    return await refused(node.come(name))


async def sql(node: Node, text: str) -> list[tuple[str | None, ...]]:
    return await node.database.read.call(text)


async def lapse(node: Node, at: Node) -> None:
    """A node's lease ends, by the database's clock."""
    await sql(at, f"UPDATE chat.nodes SET until = chat.now_ms() - 1 WHERE id = '{node.database.node}'")
