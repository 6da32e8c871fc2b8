"""The register of many nodes, the half that tells and asks: names, sessions and rooms of this node's people.

Knows persons only as `Person`, and the database through `Asking`. Must not know rooms, nor any door, nor what the other
nodes tell: `shared` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from typing_extensions import override

from twistedchat.errors import ChatError
from twistedchat.limits import TokenBucket
from twistedchat.names import likenesses, name_taken
from twistedchat.people.absent import Absent
from twistedchat.people.asking import Asking, hashed, not_ready, read_profile, written_profile
from twistedchat.people.base import LINGER_SECONDS, Arrival
from twistedchat.people.beat import CUT_OFF
from twistedchat.people.changes import Changes
from twistedchat.people.local import LOST, LocalPeople, name_lost
from twistedchat.people.moves import Moves
from twistedchat.people.rosters import Rosters
from twistedchat.people.rulebook import Rulebook
from twistedchat.people.tells import Far, Tells
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.people.base import Deed, Hearer, Named, Person
    from twistedchat.postgres.database import Database
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing

__all__ = ["SIGNALS_A_SECOND", "JointPeople", "stays_ms"]

SIGNALS_A_SECOND = 100
"""Most that programs here tell those on other nodes in a second; what would be more is dropped: it is typing.

Source: each is a statement of some 0.2 ms, and wakes every node.
"""

_LINGER_MS = int(LINGER_SECONDS * 1000)


class JointPeople(LocalPeople):
    """What this node's people do, told to the others.

    Args:
        database: The node's place in the database, not yet open.
        clock: For delays.
    """

    __slots__ = ("_asking", "_changes", "_moves", "_rosters", "_signals", "_tells")

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._asking = Asking(database)
        self._signals = TokenBucket(SIGNALS_A_SECOND, SIGNALS_A_SECOND, clock.seconds())
        self._changes = Changes(self._tell_changes, clock)
        self._moves = Moves(self._asking)
        self._rosters = Rosters(self._moves, clock, Rulebook(self._changes.concerns))
        self._tells = Tells(self._asking, clock, self._names.find)

    def _lapsed(self) -> None:
        """The database says that the lease has lapsed."""
        raise NotImplementedError

    async def _tell_changes(self, ops: Sequence[Sequence[object]]) -> Sequence[object] | None:
        answer = await self._asking.people(ops)
        if isinstance(answer, str):
            self._lapsed()
            return None
        return answer

    # -- names ---------------------------------------------------------------------------------

    @override
    async def claim(self, name: str, person: Person, *, resumable: bool = False) -> str:
        self._check_lease()
        token = await super().claim(name, person, resumable=resumable)
        keys = likenesses(name)
        try:
            seen = written_profile(person.profile)
            stay = stays_ms(person)
            answer = await self._changes.ask("claim", name, keys, hashed(token), seen, stay, undo=("release", name))
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
        name, _, is_here, profile = found
        if not is_here:
            profile = profile._replace(away=LOST)
        return Far(self._tells, name, profile, self._rosters.faces.rooms_of(name), is_here=is_here)

    @override
    def profile(self, name: str) -> Profile | None:
        return super().profile(name) or self._rosters.faces.get(name)

    @override
    def seen_anew(self, name: str, profile: Profile) -> None:
        self._changes.note("profile", name, written_profile(profile))

    @override
    def confirmed(self, name: str, arrived: Mapping[str, int]) -> None:
        self._changes.note("arrived", name, dict(arrived))

    @override
    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        if self._rosters.faces.is_shared(room) and self._signals.take_all(self._clock.seconds(), 1):
            telling = self._asking.tell_nodes("signal", [room, who, at, msg_id, tags])
            # Whatever is told so may be lost.
            Deferred.fromCoroutine(telling).addErrback(lambda failure: failure.trap(StoreError))

    @override
    def neighbours(self) -> Iterator[tuple[str, Profile, Collection[str]]]:
        return self._rosters.faces.everybody()

    def _check_lease(self) -> None:
        if self.trouble:
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
        if person.arrived:
            self.confirmed(person.name, person.arrived)
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
        profile = read_profile(answer["profile"])
        arrived = dict(answer["arrived"] or {})
        seconds = answer["stay"] / 1000 if answer["stay"] else LINGER_SECONDS
        absent = Absent(self, Arrival(answer["name"], token, answer["rooms"], profile, arrived, seconds))
        try:
            self._names.claim(absent.name, absent)
        except ChatError:
            # Somebody here is just giving that name back.
            self._changes.note("release", absent.name, soon=True)
            return None
        self._tokens[token] = absent
        self._moves.arrived(absent.name, absent.rooms, profile)
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

    @override
    async def tell_all(self, deed: Deed) -> None:
        await super().tell_all(deed)
        try:
            await self._asking.tell_nodes("wallops", [deed.by, deed.text])
        except StoreError as error:
            raise not_ready(error) from error

    # -- rooms ---------------------------------------------------------------------------------

    @override
    def entered(self, person: Named, room: str) -> None:
        self._rosters.rules.own_change(room)
        self._changes.note("enter", room, person.name)

    @override
    def left(self, person: Named, room: str, why: str) -> None:
        if self._names.find(person.name) is person:
            self._moves.left(person.name, room)
            self._rosters.rules.own_change(room)
            # PostgreSQL's text holds no NUL.
            self._changes.note("leave", room, person.name, why.replace("\0", "\N{SYMBOL FOR NULL}"))

    @override
    def amended(self, room: str, changes: Sequence[Change], by: str) -> None:
        self._rosters.rules.own_change(room)
        self._changes.note("amend", room, by, [list(change) for change in changes], soon=True)

    @override
    def standing(self, room: str) -> Standing | None:
        return self._rosters.rules.standings.get(room)

    @override
    async def who(self, room: str) -> Collection[str]:
        try:
            return await self._rosters.look(room)
        except StoreError as error:
            raise not_ready(error) from error

    @override
    def glimpse(self, room: str) -> Collection[str]:
        return self._rosters.glimpse(room)


def stays_ms(person: Person) -> int | None:
    """How long a lost session stays, in milliseconds; None for the usual time."""
    return int(person.stay.seconds * 1000) if person.stay.seconds != LINGER_SECONDS else None


def _refuse_taken(name: str, answer: object) -> None:
    """Raise what a claim was answered, unless it was done."""
    if isinstance(answer, dict):
        if not answer["holder"]:
            raise ChatError("not-ready", CUT_OFF)
        if answer.get("free_in") is not None:
            raise name_lost(answer["holder"], answer["free_in"] / 1000)
        raise name_taken(name, answer["holder"])
