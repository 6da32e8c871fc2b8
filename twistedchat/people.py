"""Who is here: names in use, the tokens that take a lost session up, and how long a lost one stays.

Everything that another node could answer is a coroutine. `LocalPeople` is the one of a single node: it
answers at once, from memory. Knows persons only as `Person`. Must not know rooms, nor any door.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from twistedchat.errors import ChatError
from twistedchat.names import Register

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["LINGER_SECONDS", "MAX_LINGERING", "LocalPeople", "People", "Person"]

LINGER_SECONDS = 60.0
"""Time in which a lost session can be taken up, in seconds. Source: docs/protocol.md, "Coming back"."""

MAX_LINGERING = 10_000
"""Most lost sessions that are kept; past it the oldest ends early. Source: docs/protocol.md, "Limits"."""

_TOKEN_BYTES = 18
"""Random bytes of a token, so that it can't be guessed; 18 need no padding in base64.

Source: at least 128 bits (RFC 6749, section 10.10).
"""


class Person(Protocol):
    """Somebody who has, or had, a name here; `session.Session` is the one.

    Attributes:
        name: "" before it was given and after it was given back.
    """

    name: str

    async def hear(self, sender: Person, text: str, at: int) -> None:
        """Take a private line, or raise a `ChatError` that tells its sender why not."""
        ...

    def close(self, why: str = "") -> None:
        """Leave every room and give the name back."""
        ...


class People(Protocol):
    """The register of persons.

    A `claim` or `rename` that is cancelled leaves nothing behind.
    """

    async def claim(self, name: str, person: Person) -> None:
        """Give a person a name.

        Args:
            name: As `names.clean_name` gives it.
            person: Whose it is from now on; it has none yet.

        Raises:
            ChatError: ``name-taken``; with ``free_in``, in seconds, if a lost session holds it.
        """
        ...

    async def rename(self, person: Person, name: str) -> None:
        """Give a person another name, which may count as the same as the old one.

        Raises:
            ChatError: ``name-taken``.
        """
        ...

    def release(self, person: Person, name: str, token: str) -> None:
        """A person's name and token are nobody's any more; a name that is another's by now stays that."""
        ...

    async def find(self, name: str) -> Person | None:
        """Who has this name, or one that counts as it."""
        ...

    async def issue_token(self, person: Person) -> str:
        """A token that takes this person's session up."""
        ...

    def revoke(self, token: str) -> None:
        """Nobody's session is taken up by this token any more."""
        ...

    async def resume(self, token: str) -> Person | None:
        """The person whose token this is. It lingers until `back` is called, and may have ended meanwhile."""
        ...

    def linger(self, person: Person) -> None:
        """The connection is lost: keep the person for `LINGER_SECONDS`, then close it."""
        ...

    def back(self, person: Person) -> None:
        """A person does not linger any more."""
        ...

    def stop(self) -> None:
        """Close nobody any more."""
        ...


class LocalPeople(People):
    """The register of a single node.

    Args:
        clock: For the time of lingering.
    """

    __slots__ = ("_clock", "_lingering", "_names", "_tokens")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._names: Register[Person] = Register()
        self._tokens: dict[str, Person] = {}
        self._lingering: dict[Person, IDelayedCall] = {}

    @override
    async def claim(self, name: str, person: Person) -> None:
        self._refuse_lost(name)
        self._names.claim(name, person)

    @override
    async def rename(self, person: Person, name: str) -> None:
        if self._names.find(name) is not person:
            self._refuse_lost(name)
        self._names.rename(person.name, name)

    @override
    def release(self, person: Person, name: str, token: str) -> None:
        if self._names.find(name) is person:
            # While a rename is on its way the name may have another spelling already.
            with contextlib.suppress(KeyError):
                self._names.release(name)
        self._tokens.pop(token, None)

    @override
    async def find(self, name: str) -> Person | None:
        return self._names.find(name)

    @override
    async def issue_token(self, person: Person) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens[token] = person
        return token

    @override
    def revoke(self, token: str) -> None:
        self._tokens.pop(token, None)

    @override
    async def resume(self, token: str) -> Person | None:
        return self._tokens.get(token)

    @override
    def linger(self, person: Person) -> None:
        if len(self._lingering) >= MAX_LINGERING:
            self._let_go(next(iter(self._lingering)))
        self._lingering[person] = self._clock.callLater(LINGER_SECONDS, self._let_go, person)

    @override
    def back(self, person: Person) -> None:
        timer = self._lingering.pop(person, None)
        if timer is not None and timer.active():
            timer.cancel()

    @override
    def stop(self) -> None:
        for person in list(self._lingering):
            self.back(person)

    def _let_go(self, person: Person) -> None:
        self.back(person)
        person.close()

    def _refuse_lost(self, name: str) -> None:
        """Say when the name of a lost session will be free."""
        holder = self._names.find(name)
        timer = self._lingering.get(holder) if holder is not None else None
        if holder is None or timer is None:
            return
        free_in = max(1, round(timer.getTime() - self._clock.seconds()))
        lost = max(0, round(LINGER_SECONDS) - free_in)
        raise ChatError(
            "name-taken",
            f"{holder.name} lost the connection {lost} s ago; the name is free in {free_in} s. Choose another one.",
            free_in=free_in,
        )
