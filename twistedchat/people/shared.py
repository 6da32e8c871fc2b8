"""The register of many nodes: what stands in the database counts, and this node's part of it is kept here, too.

Knows persons only as `Person`, and the database through `Asking`. Must not know rooms, nor any door.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from typing_extensions import override

from twistedchat.errors import ChatError
from twistedchat.names import likenesses, name_taken
from twistedchat.people.absent import Absent
from twistedchat.people.asking import Asking, hashed, not_ready
from twistedchat.people.base import LINGER_SECONDS, Arrival
from twistedchat.people.beat import CUT_OFF, Beat
from twistedchat.people.changes import Changes
from twistedchat.people.local import LocalPeople, name_lost
from twistedchat.people.moves import Moves
from twistedchat.people.rosters import Rosters
from twistedchat.people.tells import Far, Tells
from twistedchat.postgres.database import AGAIN
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.people.base import Hearer, Home, Named, Person
    from twistedchat.postgres.database import Database

__all__ = ["LEAVE_SECONDS", "SharedPeople"]

LEAVE_SECONDS = 0.5
"""Time limit for telling the other nodes that this one stops, in seconds; else its lease tells them.

Source: as `service.SHARED_CLOSE_SECONDS`.
"""

_LINGER_MS = int(LINGER_SECONDS * 1000)
_ELSEWHERE = "Your session goes on at another server."
_LOST = "The server was cut off for a while, and somebody else has your name now. Please connect again."

_log = Logger()


class SharedPeople(LocalPeople):
    """This node's part of the register.

    Args:
        database: The node's place in the database, not yet open.
        clock: For delays.
    """

    __slots__ = ("_asking", "_beat", "_changes", "_is_open", "_moves", "_rosters", "_tells")

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._asking = Asking(database)
        self._changes = Changes(self._tell_changes, clock)
        self._moves = Moves(self._asking)
        self._rosters = Rosters(self._moves, clock)
        self._tells = Tells(self._asking, clock, self._names.find)
        self._beat = Beat(self._asking, self, clock)
        self._is_open = False
        database.listen("here", self._heard_here)
        database.listen("moved", self._heard_moved)
        database.listen("tells", self._tells.heard)
        database.listen("told", self._tells.heard_answer)
        database.listen(AGAIN, lambda _: self._beat.now())

    @override
    async def open(self, home: Home) -> None:
        self._is_open = True
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

    # -- names ---------------------------------------------------------------------------------

    @override
    async def claim(self, name: str, person: Person, *, resumable: bool = False) -> str:
        self._check_lease()
        token = await super().claim(name, person, resumable=resumable)
        keys = likenesses(name)
        try:
            answer = await self._changes.ask("claim", name, keys, hashed(token), undo=("release", name))
            _refuse_taken(name, answer)
        except BaseException as error:
            super().release(person, name, token)
            if isinstance(error, StoreError):
                raise not_ready(error) from error
            raise
        return token

    @override
    async def rename(self, person: Person, name: str) -> None:
        self._check_lease()
        old = person.name
        await super().rename(person, name)
        undo = ("rename", name, old, likenesses(old))
        try:
            answer = await self._changes.ask("rename", old, name, likenesses(name), undo=undo)
            _refuse_taken(name, answer)
            self._moves.gone(old)
        except BaseException as error:
            if self._names.find(name) is person:
                self._names.rename(name, old)
            if isinstance(error, StoreError):
                raise not_ready(error) from error
            raise

    @override
    def release(self, person: Person, name: str, token: str) -> None:
        if self._names.find(name) is person:
            self._moves.gone(name)
            self._changes.note("release", name, soon=True)
        super().release(person, name, token)

    @override
    async def find(self, name: str) -> Hearer | None:
        person = await super().find(name)
        if person is not None:
            return person
        self._check_lease()
        try:
            found = await self._asking.find(likenesses(name))
        except StoreError as error:
            raise not_ready(error) from error
        if found is None or found[1] == self._asking.node:
            return None
        return Far(self._tells, found[0], is_here=found[2])

    def _check_lease(self) -> None:
        if self._beat.trouble:
            raise ChatError("not-ready", CUT_OFF)

    # -- lost sessions -------------------------------------------------------------------------

    @override
    def rekey(self, person: Person) -> str:
        token = super().rekey(person)
        if token != person.token:
            # The other nodes know the old one, by which it is not to be taken up any more.
            self._changes.note("revoke", person.name)
        return token

    @override
    def revoke(self, token: str) -> None:
        person = self._tokens.get(token)
        if person is not None:
            self._changes.note("revoke", person.name)
        super().revoke(token)

    @override
    def linger(self, person: Person) -> None:
        super().linger(person)
        self._changes.note("linger", person.name, int(person.stay.seconds * 1000))

    @override
    def back(self, person: Person) -> None:
        if person in self._lingering:
            self._changes.note("back", person.name)
        super().back(person)

    @override
    def stop(self) -> None:
        # They are not back: they go on elsewhere.
        for person in list(self._lingering):
            super().back(person)

    @override
    async def resume(self, token: str) -> Person | Arrival | None:
        person = self._tokens.get(token)
        if person is None:
            self._check_lease()
            person = await self._move(token)
        return person.arrival if isinstance(person, Absent) else person

    async def _move(self, token: str) -> Person | None:
        """Take a session over from another node; until a connection takes it up, it lingers here."""
        moved: Deferred[Person | None] = Deferred()
        # Not cancelled with whoever asks: what has moved must be known here.
        asking = Deferred.fromCoroutine(self._moved(token))
        asking.addBoth(lambda outcome: None if moved.called else moved.callback(outcome))
        return await moved

    async def _moved(self, token: str) -> Person | None:
        self._moves.begin()
        try:
            return self._come(token, await self._changes.ask("move", hashed(token)))
        except StoreError as error:
            self._send_back(token)
            raise not_ready(error) from error
        finally:
            self._moves.end()

    def _send_back(self, token: str) -> None:
        """A session may have come though there was no answer; until that is settled no roster is taken for true."""
        self._moves.begin()
        settling = Deferred.fromCoroutine(self._changes.see_to("unmove", hashed(token), _LINGER_MS))
        settling.addBoth(lambda _: self._moves.end())

    def _come(self, token: str, answer: object) -> Person | None:
        """Whoever has come, if anybody has."""
        known = self._tokens.get(token)
        if known is not None or not isinstance(answer, dict):
            return known
        absent = Absent(self, Arrival(answer["name"], token, answer["rooms"]))
        try:
            self._names.claim(absent.name, absent)
        except ChatError:
            # Somebody here is just giving that name back.
            self._changes.note("release", absent.name, soon=True)
            return None
        self._tokens[token] = absent
        self._moves.arrived(absent.name, absent.rooms)
        self.linger(absent)
        return absent

    @override
    def adopt(self, person: Person, arrival: Arrival) -> bool:
        absent = self._tokens.get(arrival.token)
        if not isinstance(absent, Absent):
            return False
        self.back(absent)
        self._names.release(absent.name)
        self._names.claim(arrival.name, person)
        self._tokens[arrival.token] = person
        return True

    # -- rooms ---------------------------------------------------------------------------------

    @override
    def entered(self, person: Named, room: str) -> None:
        self._changes.note("enter", room, person.name)

    @override
    def left(self, person: Named, room: str, why: str) -> None:
        if self._names.find(person.name) is person:
            self._moves.left(person.name, room)
            # PostgreSQL's text holds no NUL.
            self._changes.note("leave", room, person.name, why.replace("\0", "\N{SYMBOL FOR NULL}"))

    @override
    async def who(self, room: str) -> Collection[str]:
        try:
            return await self._rosters.look(room)
        except StoreError as error:
            raise not_ready(error) from error

    @override
    def glimpse(self, room: str) -> Collection[str]:
        return self._rosters.glimpse(room)

    # -- what other nodes tell -----------------------------------------------------------------

    async def _tell_changes(self, ops: Sequence[Sequence[object]]) -> Sequence[object] | None:
        answer = await self._asking.people(ops)
        if isinstance(answer, str):
            self._beat.now()
            return None
        return answer

    def _heard_here(self, rest: str) -> None:
        rooms, renamed, left = _parsed(rest)
        self._rosters.heard(rooms, renamed, left)

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
        """This node's people: name, likenesses, token, whether the connection is lost, rooms."""
        return [
            (name, likenesses(name), hashed(person.token), person in self._lingering, list(person.rooms))
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


def _refuse_taken(name: str, answer: object) -> None:
    """Raise what a claim was answered, unless it was done."""
    if isinstance(answer, dict):
        if not answer["holder"]:
            raise ChatError("not-ready", CUT_OFF)
        if answer.get("free_in") is not None:
            raise name_lost(answer["holder"], answer["free_in"] / 1000)
        raise name_taken(name, answer["holder"])


def _parsed(
    rest: str,
) -> tuple[Sequence[str], Sequence[tuple[str, str]], Sequence[tuple[str, str, str]]]:
    rooms, renamed, left = json.loads(rest)
    return rooms, [(old, new) for old, new in renamed], [(room, name, why) for room, name, why in left]
