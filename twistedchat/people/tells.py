"""Private lines, and what one person does to another, between nodes: answered when it was taken, never before.

Knows a line's way there and its answer's way back. Must not know how a line is shown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.people.asking import not_ready
from twistedchat.people.base import Deed, DeedKind
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.people.asking import Asking
    from twistedchat.people.base import Hearer, Named
    from twistedchat.profiles import Profile

__all__ = ["ANSWER_SECONDS", "Elsewhere", "Far", "Tells"]

ANSWER_SECONDS = 3.0
"""Time limit for another node to take a private line, in seconds; then it is withdrawn.

Source: as `postgres.link.CALL_SECONDS`.
"""


class Elsewhere(NamedTuple):
    """The name of somebody on another node, who has said something."""

    name: str


class Far:
    """Somebody on another node, to whom a private line can be said.

    Args:
        tells: The way there.
        name: As it is spelled.
        profile: How that person is seen.
        rooms: The rooms of this node that it is in.
        is_here: Whether the connection is there.
    """

    __slots__ = ("_is_here", "_tells", "name", "profile", "rooms")

    def __init__(self, tells: Tells, name: str, profile: Profile, rooms: Collection[str], *, is_here: bool) -> None:
        self._tells = tells
        self._is_here = is_here
        self.name = name
        self.profile = profile
        self.rooms = rooms

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        """Take a private line there.

        Raises:
            ChatError: ``not-here``, ``not-reading``, ``not-ready``.
        """
        # A node of an older version knows a line as a text alone.
        said = text if kind is Kind.SAY and not tags else [text, kind, tags]
        await self._send(sender.name, said, at)

    async def undergo(self, deed: Deed) -> None:
        """Have it done there.

        Raises:
            ChatError: ``not-here``, ``not-ready``, or as the other node has answered.
        """
        await self._send(deed.by, {"kind": deed.kind, "room": deed.room, "text": deed.text}, 0)

    async def _send(self, who: str, said: object, at: int) -> None:
        if not self._is_here:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        await self._tells.send(self.name, who, said, at)


class Tells:
    """The private lines that are on their way.

    Args:
        asking: The database.
        clock: For delays.
        find: Who has exactly this name here.
    """

    __slots__ = ("_asking", "_clock", "_find", "_is_again", "_is_taking", "_log", "_sent")

    def __init__(self, asking: Asking, clock: IReactorTime, find: Callable[[str], Hearer | None]) -> None:
        self._asking = asking
        self._clock = clock
        self._find = find
        self._sent: dict[int, Deferred[tuple[str, str]]] = {}
        self._is_taking = self._is_again = False
        self._log = Logger()

    # -- to other nodes ------------------------------------------------------------------------

    async def send(self, to: str, who: str, said: object, at: int) -> None:
        """Have another node take a line, or do something.

        Raises:
            ChatError: As the other node has answered; ``not-here`` if it did not; ``not-ready``.
        """
        try:
            number = await self._asking.tell(to, who, said, at)
            if number is None:
                raise ChatError("not-here", f"{to} is not here any more.")
            answer = await self._answer(number)
            if answer is None:
                raise await self._not_answered(number, to)
        except StoreError as error:
            raise not_ready(error) from error
        code, sentence = answer
        if code:
            raise ChatError(code, sentence)

    async def _answer(self, number: int) -> tuple[str, str] | None:
        waiting: Deferred[tuple[str, str]] = Deferred()
        self._sent[number] = waiting
        try:
            return await waiting.addTimeout(ANSWER_SECONDS, self._clock)
        except defer.TimeoutError:
            return None
        finally:
            del self._sent[number]

    async def _not_answered(self, number: int, to: str) -> ChatError:
        if await self._asking.withdraw(number):
            return ChatError(
                "not-here", f"{to} can't be reached now: your line was not delivered. Try again in a minute."
            )
        return ChatError("not-here", f"{to} was lost just now: whether your line was seen is not known.")

    def heard_answer(self, rest: str) -> None:
        """Another node says what became of a line: ``NODE [number, code, text]``."""
        node, _, answer = rest.partition(" ")
        if node == self._asking.node:
            number, code, text = json.loads(answer)
            waiting = self._sent.get(number)
            if waiting is not None and not waiting.called:
                waiting.callback((code, text))

    # -- from other nodes ----------------------------------------------------------------------

    def heard(self, rest: str) -> None:
        """There are lines for a node."""
        if rest == self._asking.node:
            self.take()

    def take(self) -> None:
        """Take the lines for this node."""
        self._is_again = self._is_taking
        if not self._is_taking:
            self._is_taking = True
            Deferred.fromCoroutine(self._take()).addErrback(
                lambda failure: self._log.failure("Private lines could not be taken", failure)
            )

    async def _take(self) -> None:
        try:
            for number, node, to, who, said, at in await self._asking.take():
                code, sentence = await self._hear(to, who, said, at)
                await self._asking.told(node, number, code, sentence)
        except StoreError:
            # Its sender is told that it is not known.
            pass
        finally:
            self._is_taking = False
        if self._is_again:
            self.take()

    async def _hear(self, to: str, who: str, said: Any, at: int) -> tuple[str, str]:
        person = self._find(to)
        if person is None:
            return "not-here", f"{to} is not here any more."
        try:
            if isinstance(said, dict):
                await person.undergo(Deed(DeedKind(said["kind"]), who, said["room"], said["text"]))
            else:
                text, kind, tags = (said, Kind.SAY, "") if isinstance(said, str) else said
                await person.hear(Elsewhere(who), text, at, Kind(kind), tags)
        except ChatError as error:
            return error.code, error.text
        return "", ""
