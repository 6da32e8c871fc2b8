"""The seam of the register: who is here, whose a name is, and which session a token takes up.

Everything that another node could answer is a coroutine. Knows persons only as `Person`. Must not know rooms,
any door, nor how many nodes there are.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from twistedchat.events import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from twistedchat.people.home import Home
    from twistedchat.people.password import Guesses
    from twistedchat.people.watching import Watching
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Past, Standing

__all__ = ["LINGER_SECONDS", "Arrival", "Deed", "DeedKind", "Hearer", "Named", "People", "Person", "Stay"]

LINGER_SECONDS = 60.0
"""Time in which a lost session can be taken up, in seconds. Source: docs/protocol.md, "Coming back"."""


class DeedKind(enum.StrEnum):
    """What one person does to another."""

    INVITE = "invite"
    """Lets it into a room."""

    REMOVE = "remove"
    """Removes it from a room."""

    KILL = "kill"
    """Ends its session, as an operator of the server."""

    WALLOPS = "wallops"
    """Tells it something, as an operator, if it wants to hear such."""


class Deed(NamedTuple):
    """What one person does to another.

    Attributes:
        kind: What it is; the one who does it may.
        by: The name of whoever does it.
        room: Where, or "".
        text: Why, or what is told; or "".
    """

    kind: DeedKind
    by: str
    room: str = ""
    text: str = ""


class Stay(NamedTuple):
    """How somebody stays whose connection is lost.

    Attributes:
        seconds: Time in which the session can be taken up.
        parting: The parting word, when it was not.
        word: The word by which it is taken up, as `password.hashed_word` gives it; b"" if its token is a random one.
    """

    seconds: float = LINGER_SECONDS
    parting: str = ""
    word: bytes = b""


class Person(Protocol):
    """Somebody who has, or had, a name here; `session.Session` is the one.

    Attributes:
        name: "" before it was given and after it was given back.
        token: Takes its session up; "" if nothing does.
        stay: How it stays when its connection is lost.
        profile: How it is seen by others.
        arrived: By room, the seq up to which what it was shown is known to have arrived; None if it keeps track itself.
    """

    name: str
    profile: Profile
    token: str
    stay: Stay
    arrived: dict[str, int] | None

    @property
    def rooms(self) -> Iterable[str]:
        """The rooms that it is in."""
        ...

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        """Take a private line, or raise a `ChatError` that tells its sender why not.

        Args:
            sender: Who has said it.
            text: What.
            at: When, in milliseconds since 1970.
            kind: `Kind.SAY`, `Kind.ME` or `Kind.NOTICE`.
            tags: As `events.Draft.tags`.
        """
        ...

    async def undergo(self, deed: Deed) -> None:
        """Have done to it what another person does, or raise a `ChatError` that tells that person why not."""
        ...

    def close(self, why: str = "") -> None:
        """Leave every room and give the name back."""
        ...

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:
        """The name is not the person's any more: let go of everything, and of the connection.

        Args:
            code: Of the connection's farewell.
            text: Its sentence.
            is_moved: The person goes on at another node: nobody is told that it left.
        """
        ...

    def notify(self, text: str) -> None:
        """Tell a human a sentence about the server."""
        ...


class Named(Protocol):
    """Whoever can be seen to have said something.

    Attributes:
        name: "" when it is nobody's any more.
    """

    @property
    def name(self) -> str:
        """As above."""
        ...


class Hearer(Named, Protocol):
    """Somebody to whom a private line can be said, here or on another node."""

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        """As `Person.hear`."""
        ...

    async def undergo(self, deed: Deed) -> None:
        """As `Person.undergo`."""
        ...


class Arrival(NamedTuple):
    """Somebody whose session was lost on another node, and goes on here.

    Attributes:
        name: The person's.
        token: As it was.
        rooms: Those that it is in.
        profile: How it was seen there; None if that is not known.
        arrived: By room, the seq up to which what it was shown there is known to have arrived.
        seconds: How long it stays when its connection is lost.
    """

    name: str
    token: str
    rooms: Sequence[str]
    profile: Profile | None = None
    arrived: Mapping[str, int] = MappingProxyType({})
    seconds: float = LINGER_SECONDS


class People(Protocol):
    """The register of persons.

    A `claim` or `rename` that is cancelled leaves nothing behind.

    Attributes:
        guesses: Wrong words by which somebody wanted to come back.
        watching: Who is told when a name is somebody's, or nobody's any more; a session says when that may be.
    """

    guesses: Guesses
    watching: Watching

    async def open(self, home: Home) -> None:
        """Make ready; called once, when the store is open.

        Raises:
            StoreError: It can't be used.
        """
        ...

    async def close(self) -> None:
        """Nobody is here any more; called once, last."""
        ...

    @property
    def trouble(self) -> str:
        """Why lines can't be stored, as a sentence; "" while they can."""
        ...

    async def claim(self, name: str, person: Person, *, resumable: bool = False) -> str:
        """Give a person a name.

        Args:
            name: As `names.clean_name` gives it.
            person: Whose it is from now on; it has none yet.
            resumable: Whether it can be taken up after its connection was lost, as its ``stay`` says.

        Returns:
            A token that takes the person's session up; "" if it is not resumable.

        Raises:
            ChatError: ``name-taken``; with ``free_in``, in seconds, if a lost session holds it. ``not-ready``: the
                other nodes can't be asked.
        """
        ...

    async def rename(self, person: Person, name: str) -> None:
        """Give a person another name, which may count as the same as the old one.

        Raises:
            ChatError: ``name-taken``, ``not-ready``.
        """
        ...

    def rekey(self, person: Person) -> str:
        """A person has another name: the token that takes its session up now. A random one stays as it is."""
        ...

    def release(self, person: Person, name: str, token: str) -> None:
        """A person's name and token are nobody's any more; a name that is another's by now stays that."""
        ...

    async def find(self, name: str) -> Hearer | None:
        """Who has this name, or one that counts as it.

        Raises:
            ChatError: ``not-ready``.
        """
        ...

    def profile(self, name: str) -> Profile | None:
        """How the person of exactly this name is seen, who is here, or elsewhere in a room of ours."""
        ...

    def seen_anew(self, name: str, profile: Profile) -> None:
        """The person of exactly this name, who is here, is seen otherwise from now on."""
        ...

    def confirmed(self, name: str, arrived: Mapping[str, int]) -> None:
        """What the person of exactly this name was shown is known to have arrived: by room, up to which seq."""
        ...

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        """A program here tells the programs in a room something; as `formats.base.Signal`. It may be lost."""
        ...

    def neighbours(self) -> Iterator[tuple[str, Profile, Collection[str]]]:
        """Those on other nodes who share rooms with somebody here, and which."""
        ...

    @property
    def past(self) -> Sequence[Past]:
        """The last thousand who gave their names back, the latest last; of this node."""
        ...

    def everybody(self) -> Iterator[Person]:
        """All people of this node."""
        ...

    def source(self, who: str, at: int) -> str:
        """``name!~user@host`` of whoever had this name at a time, in milliseconds since 1970, for IRC."""
        ...

    def host_of(self, address: str) -> str:
        """What others see in place of a peer's address; at each start another one."""
        ...

    def count(self) -> int:
        """How many people are here, on this node."""
        ...

    async def tell_all(self, deed: Deed) -> None:
        """Have everybody undergo what one person does."""
        ...

    def revoke(self, token: str) -> None:
        """Nobody's session is taken up by this token any more."""
        ...

    async def resume(self, token: str) -> Person | Arrival | None:
        """The person whose token this is; it lingers until `back` is called, and may have ended meanwhile.

        Or what is known of somebody who comes from another node: its name is held here until `adopt` is called, or
        `linger`.

        Raises:
            ChatError: ``not-ready``.
        """
        ...

    def adopt(self, person: Person, arrival: Arrival) -> bool:
        """A person of this node has the name and token of somebody who arrived; False: it is held here no more."""
        ...

    def entered(self, person: Named, room: str) -> None:
        """A person is in a room."""
        ...

    def left(self, person: Named, room: str, why: str) -> None:
        """A person is in a room no more; with a parting word or ""."""
        ...

    def amended(self, room: str, changes: Sequence[Change], by: str) -> None:
        """Ranks and rules of a room were changed here, by the person of this name, or by the server ("").

        Not told is what follows: a rank ends with its bearer's leaving, and goes along with a new name; all ends with
        the last member.
        """
        ...

    async def who(self, room: str) -> Collection[str]:
        """Who is in a room on other nodes.

        Raises:
            ChatError: ``not-ready``.
        """
        ...

    def standing(self, room: str) -> Standing | None:
        """Ranks and rules of a room, as they were when it was asked who is there; None if there are no others."""
        ...

    def glimpse(self, room: str) -> Collection[str]:
        """Who is in a room on other nodes, as far as it is known: for rooms that nobody here is in."""
        ...

    def linger(self, person: Person) -> None:
        """The connection is lost: keep the person for as long as it stays, then close it."""
        ...

    def back(self, person: Person) -> None:
        """A person does not linger any more."""
        ...

    def stop(self) -> None:
        """Close nobody any more."""
        ...
