"""The register of a single node: it answers at once, from memory.

Knows persons only as `Person`. Must not know rooms, nor any door.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import deque
from typing import TYPE_CHECKING

from typing_extensions import override

from twistedchat.errors import ChatError
from twistedchat.names import Register
from twistedchat.people.base import LINGER_SECONDS, People
from twistedchat.people.password import Guesses, word_token
from twistedchat.people.watching import Seen, Watching
from twistedchat.profiles import PAST, host_of, source
from twistedchat.records import Past

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.people.base import Arrival, Deed, Hearer, Named, Person
    from twistedchat.people.home import Home
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing

__all__ = ["LOST", "MAX_LINGERING", "LocalPeople", "name_lost", "new_token"]

MAX_LINGERING = 10_000
"""Most lost sessions that are kept; past it the oldest ends early. Source: docs/protocol.md, "Limits"."""

MAX_PAST = 1000
"""Most people who are gone and whose names are remembered. Source: docs/irc.md, ``WHOWAS``."""

_TOKEN_BYTES = 18
"""Random bytes of a token, so that it can't be guessed; 18 need no padding in base64.

Source: at least 128 bits (RFC 6749, section 10.10).
"""


LOST = "connection lost"
"""Why somebody is away whose connection is lost. Source: docs/irc.md, "Coming back"."""


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


class LocalPeople(People):
    """The register of a single node.

    Args:
        clock: For the time of lingering.
    """

    __slots__ = ("_clock", "_host_key", "_lingering", "_names", "_past", "_tokens", "guesses", "watching")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.guesses = Guesses(clock.seconds)
        self.watching = Watching(clock, self._look)
        self._host_key = secrets.token_bytes(32)
        self._names: Register[Person] = Register()
        self._past: deque[Past] = deque(maxlen=MAX_PAST)
        self._tokens: dict[str, Person] = {}
        self._lingering: dict[Person, IDelayedCall] = {}

    @override
    async def open(self, home: Home) -> None:
        pass

    @override
    async def close(self) -> None:
        pass

    @property
    @override
    def trouble(self) -> str:
        return ""

    @override
    async def claim(self, name: str, person: Person, *, resumable: bool = False) -> str:
        self._refuse_lost(name)
        self._names.claim(name, person)
        if not resumable:
            return ""
        word = person.stay.word
        token = word_token(name, word) if word else new_token()
        self._tokens[token] = person
        return token

    @override
    async def rename(self, person: Person, name: str) -> None:
        if self._names.find(name) is not person:
            self._refuse_lost(name)
        self._names.rename(person.name, name)

    @override
    def rekey(self, person: Person) -> str:
        word = person.stay.word
        if not person.token or not word:
            return person.token
        token = word_token(person.name, word)
        self._tokens.pop(person.token, None)
        self._tokens[token] = person
        return token

    @override
    def release(self, person: Person, name: str, token: str) -> None:
        if self._names.find(name) is person:
            # While a rename is on its way the name may have another spelling already.
            with contextlib.suppress(KeyError):
                self._names.release(name)
                self._past.append(Past(name, person.profile, self._clock.seconds()))
        self._tokens.pop(token, None)

    @override
    async def find(self, name: str) -> Hearer | None:
        return self._names.find(name)

    @override
    def profile(self, name: str) -> Profile | None:
        person = self._names.owner(name)
        if person is None or person.name != name:
            return None
        return person.profile._replace(away=LOST) if person in self._lingering else person.profile

    @override
    def seen_anew(self, name: str, profile: Profile) -> None:
        pass

    @override
    def confirmed(self, name: str, arrived: Mapping[str, int]) -> None:
        pass

    @override
    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        pass

    @override
    def neighbours(self) -> Iterator[tuple[str, Profile, Collection[str]]]:
        return iter(())

    @property
    @override
    def past(self) -> Sequence[Past]:
        return self._past

    @override
    def everybody(self) -> Iterator[Person]:
        return (person for name, person in list(self._names.items()) if person.name == name)

    @override
    def source(self, who: str, at: int) -> str:
        profile = self.profile(who)
        return f"{who}!{PAST}" if profile is None or profile.since > at else source(who, profile)

    @override
    def host_of(self, address: str) -> str:
        return host_of(address, self._host_key)

    @override
    def count(self) -> int:
        return len(self._names)

    @override
    async def tell_all(self, deed: Deed) -> None:
        for _, person in list(self._names.items()):
            with contextlib.suppress(ChatError):
                await person.undergo(deed)

    @override
    def revoke(self, token: str) -> None:
        self._tokens.pop(token, None)

    @override
    async def resume(self, token: str) -> Person | Arrival | None:
        return self._tokens.get(token)

    @override
    def adopt(self, person: Person, arrival: Arrival) -> bool:
        return False

    @override
    def entered(self, person: Named, room: str) -> None:
        pass

    @override
    def left(self, person: Named, room: str, why: str) -> None:
        pass

    @override
    def amended(self, room: str, changes: Sequence[Change], by: str) -> None:
        pass

    @override
    async def who(self, room: str) -> Collection[str]:
        return ()

    @override
    def standing(self, room: str) -> Standing | None:
        return None

    @override
    def glimpse(self, room: str) -> Collection[str]:
        return ()

    @override
    def linger(self, person: Person) -> None:
        if len(self._lingering) >= MAX_LINGERING:
            self._let_go(next(iter(self._lingering)))
        self._lingering[person] = self._clock.callLater(person.stay.seconds, self._let_go, person)

    @override
    def back(self, person: Person) -> None:
        timer = self._lingering.pop(person, None)
        if timer is not None and timer.active():
            timer.cancel()

    @override
    def stop(self) -> None:
        self.watching.stop()
        for person in list(self._lingering):
            self.back(person)

    def _look(self, name: str) -> Seen:
        """Who has a name; also while its connection is lost, of which nobody is told."""
        person = self._names.find(name)
        if person is None or not person.name:
            return Seen()
        return Seen(person.name, person.profile.away, person.profile.real)

    def _let_go(self, person: Person) -> None:
        self.back(person)
        person.close(person.stay.parting)

    def _refuse_lost(self, name: str) -> None:
        """Say when the name of a lost session will be free."""
        holder = self._names.find(name)
        timer = self._lingering.get(holder) if holder is not None else None
        if holder is None or timer is None:
            return
        raise name_lost(holder.name, timer.getTime() - self._clock.seconds(), holder.stay.seconds)


def name_lost(holder: str, seconds: float, of_seconds: float = LINGER_SECONDS) -> ChatError:
    """The error for somebody who wants the name of a lost session, which is free in so many seconds of so many."""
    free_in = max(1, round(seconds))
    lost = max(0, round(of_seconds) - free_in)
    sentence = f"{holder} lost the connection {lost} s ago; the name is free in {free_in} s. Choose another one."
    return ChatError("name-taken", sentence, free_in=free_in)
