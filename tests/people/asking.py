"""A database that answers the register's questions when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from typing_extensions import override

from twistedchat.people.asking import UNKNOWN, Asking
from twistedchat.people.faces import Roll

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HeldAsking"]


class HeldAsking(Asking):
    """Questions that wait for their answers.

    Attributes:
        asked: What was asked, each with its arguments, since it was looked at last.
    """

    def __init__(self) -> None:
        self.node = "me"
        self.asked: list[tuple[Any, ...]] = []
        self._waiting: list[Deferred[Any]] = []

    def look(self) -> list[tuple[Any, ...]]:
        """What was asked since the last look."""
        asked, self.asked = self.asked, []
        return asked

    def answer(self, answer: object = None) -> None:
        """Answer what was asked first."""
        self._waiting.pop(0).callback(answer)

    def fail(self, error: Exception) -> None:
        """Answer it with an error."""
        self._waiting.pop(0).errback(error)

    async def _held(self, *question: object) -> Any:
        self.asked.append(question)
        waiting: Deferred[Any] = Deferred()
        self._waiting.append(waiting)
        return await waiting

    @override
    async def roster(self, rooms: Sequence[str]) -> Sequence[Roll]:
        """Answered with names alone."""
        found = await self._held("roster", *rooms)
        return [Roll(room, version, dict.fromkeys(names, UNKNOWN)) for room, version, names in found]

    @override
    async def beat(
        self, heads: Sequence[Sequence[object]], versions: Sequence[Sequence[object]]
    ) -> dict[str, Any] | str:
        answer: dict[str, Any] | str = await self._held("beat", heads, versions)
        return answer

    @override
    async def come_back(self, people: Sequence[Sequence[object]]) -> Sequence[tuple[str, bool]]:
        answer: Sequence[tuple[str, bool]] = await self._held("come_back", people)
        return answer

    @override
    async def tidy(self) -> None:
        await self._held("tidy")

    @override
    async def tell(self, to: str, who: str, said: object, at: int) -> int | None:
        answer: int | None = await self._held("tell", to, who, said, at)
        return answer

    @override
    async def take(self) -> Sequence[tuple[int, str, str, str, object, int]]:
        answer: Sequence[tuple[int, str, str, str, object, int]] = await self._held("take")
        return answer

    @override
    async def told(self, node: str, number: int, code: str, text: str) -> None:
        await self._held("told", node, number, code, text)

    @override
    async def withdraw(self, number: int) -> bool:
        return bool(await self._held("withdraw", number))
