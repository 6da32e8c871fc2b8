"""The register of many nodes: what the others tell, and the lease.

Knows persons only as `Person`, and the database through `Asking`. Must not know rooms, nor any door.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from typing_extensions import override

from twistedchat.names import likenesses
from twistedchat.people.asking import hashed, written_profile
from twistedchat.people.base import Deed, DeedKind
from twistedchat.people.beat import Beat
from twistedchat.people.joint import JointPeople, stays_ms
from twistedchat.people.local import LocalPeople
from twistedchat.postgres.database import AGAIN
from twistedchat.records import Change
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.people.base import Person
    from twistedchat.people.home import Home
    from twistedchat.postgres.database import Database

__all__ = ["LEAVE_SECONDS", "SharedPeople"]

LEAVE_SECONDS = 0.5
"""Time limit for telling the other nodes that this one stops, in seconds; else its lease tells them.

Source: as `service.SHARED_CLOSE_SECONDS`.
"""

_ELSEWHERE = "Your session goes on at another server."
_LOST = "The server was cut off for a while, and somebody else has your name now. Please connect again."

_log = Logger()


class SharedPeople(JointPeople):
    """This node's part of the register.

    Args:
        database: The node's place in the database, not yet open.
        clock: For delays.
    """

    __slots__ = ("_beat", "_home", "_is_open")

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        super().__init__(database, clock)
        self._beat = Beat(self._asking, self, clock)
        self._is_open = False
        self._home: Home
        database.listen("here", self._heard_here)
        database.listen("ruled", self._heard_ruled)
        database.listen("wallops", self._heard_wallops)
        database.listen("signal", self._heard_signal)
        database.listen("moved", self._heard_moved)
        database.listen("tells", self._tells.heard)
        database.listen("told", self._tells.heard_answer)
        database.listen(AGAIN, lambda _: self._beat.now())

    @override
    async def open(self, home: Home) -> None:
        self._is_open = True
        self._home = home
        self._rosters.open(home)
        self._beat.open(home)

    @override
    async def close(self) -> None:
        if not self._is_open:
            return
        self._beat.close()
        self._rosters.close()
        try:
            await Deferred.fromCoroutine(self._leave()).addTimeout(LEAVE_SECONDS, self._clock)
        except (StoreError, defer.TimeoutError) as error:
            _log.warn("The other nodes were not told that this one stops: {error!r}", error=error)
        self._changes.close()

    async def _leave(self) -> None:
        await self._changes.flush()
        await self._asking.leave()

    @property
    @override
    def trouble(self) -> str:
        return self._beat.trouble

    # -- what other nodes tell -----------------------------------------------------------------

    @override
    def _lapsed(self) -> None:
        self._beat.now()

    def _heard_here(self, rest: str) -> None:
        rooms, renamed, left = _parsed(rest)
        self._rosters.heard(rooms, renamed, left)

    def _heard_ruled(self, rest: str) -> None:
        room, by, changes = json.loads(rest)
        self._rosters.ruled(room, by, [Change(*change) for change in changes])

    def _heard_wallops(self, rest: str) -> None:
        by, text = json.loads(rest)
        Deferred.fromCoroutine(LocalPeople.tell_all(self, Deed(DeedKind.WALLOPS, by, "", text))).addErrback(
            lambda failure: _log.failure("What an operator of another node says could not be told", failure)
        )

    def _heard_signal(self, rest: str) -> None:
        self._home.signalled(*json.loads(rest))

    def _heard_moved(self, rest: str) -> None:
        node, *names = rest.split(" ")
        if node == self._asking.node:
            Deferred.fromCoroutine(self._let_go_if_moved(names)).addErrback(
                lambda failure: _log.failure("Sessions that have moved could not be let go of", failure)
            )

    async def _let_go_if_moved(self, names: Sequence[str]) -> None:
        """Unless they have come back meanwhile; without an answer the beat finds out."""
        people = {name: self._names.find(name) for name in names}
        try:
            mine = await self._asking.mine(names)
        except StoreError:
            return
        for name, person in people.items():
            is_here = person is not None and person.name == name and self._names.find(name) is person
            if person is not None and is_here and name not in mine:
                self._evict(person, is_moved=True)

    def _evict(self, person: Person, *, is_moved: bool) -> None:
        """The name is another's: nothing is told to the database."""
        super().back(person)
        super().release(person, person.name, person.token)
        self._moves.gone(person.name)
        # What was read while it was still here may lack it, or have it though it has left by now.
        self._rosters.changed(person.rooms)
        if is_moved:
            person.evict("taken-over", _ELSEWHERE, is_moved=True)
        else:
            person.evict("name-lost", _LOST, is_moved=False)

    # -- the lease, as `beat.Ward` -------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether the database should have all of this node's people, and no more."""
        return self._changes.is_idle and self._moves.is_idle

    def versions(self, rooms: Collection[str]) -> Sequence[tuple[str, int]]:
        """The rosters that are known of this node's rooms; others are forgotten."""
        self._rosters.watch_only(rooms)
        return list(self._rosters.versions.items())

    def listed(self) -> Sequence[Sequence[object]]:
        """This node's people, as `chat.come_back` takes them."""
        return [
            (
                name,
                likenesses(name),
                hashed(person.token),
                person in self._lingering,
                list(person.rooms),
                written_profile(person.profile),
                stays_ms(person),
                person.arrived,
            )
            for name, person in self._names.items()
            if person.name == name
        ]

    def cut_off(self, text: str) -> None:
        """The lease has lapsed: whatever happens now is told when all people are claimed anew."""
        self._changes.forget()
        self._notify(text)

    def joined_up(self, lost: Sequence[tuple[str, bool]], text: str) -> None:
        """There is a lease again."""
        for name, is_moved in lost:
            person = self._names.find(name)
            if person is not None and person.name == name:
                self._evict(person, is_moved=is_moved)
        self._changes.resume()
        self._rosters.changed(self._rosters.versions)
        self._notify(text)

    def news(self, stale: Sequence[str], *, has_tells: bool) -> None:
        """Rosters have changed; private lines wait."""
        self._rosters.changed(stale)
        if has_tells:
            self._tells.take()

    def _notify(self, text: str) -> None:
        if text:
            for _, person in list(self._names.items()):
                person.notify(text)


def _parsed(
    rest: str,
) -> tuple[Sequence[str], Sequence[tuple[str, str]], Sequence[tuple[str, str, str]]]:
    rooms, renamed, left = json.loads(rest)
    return rooms, [(old, new) for old, new in renamed], [(room, name, why) for room, name, why in left]
