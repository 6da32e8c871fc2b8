"""Somebody whose session came from another node, and whom no connection has taken up yet.

Knows names and tokens. Must not know rooms, nor any door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.people.asking import UNKNOWN
from twistedchat.people.base import Arrival, DeedKind, Stay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.people.base import Deed, Named, People

__all__ = ["Absent"]


class Absent:
    """It holds the name, and lingers.

    Args:
        people: Where it is registered.
        arrival: What is known of it.

    Attributes:
        arrival: As above.
    """

    __slots__ = ("_people", "_rooms", "arrival", "arrived", "name", "profile", "stay", "token")

    def __init__(self, people: People, arrival: Arrival) -> None:
        self._people = people
        self.arrival = arrival
        self.name, self.token, self._rooms = arrival[:3]
        self.stay = Stay(arrival.seconds)
        self.profile = arrival.profile or UNKNOWN
        self.arrived: dict[str, int] | None = None

    @property
    def rooms(self) -> Sequence[str]:
        """The rooms that it is in."""
        return self._rooms

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:  # noqa: ARG002  nothing is shown
        """Nobody hears.

        Raises:
            ChatError: ``not-here``, always.
        """
        raise self._not_here()

    async def undergo(self, deed: Deed) -> None:
        """It can be ended; nothing else can be done to it.

        Raises:
            ChatError: ``not-here``.
        """
        if deed.kind is not DeedKind.KILL:
            raise self._not_here()
        self.close()

    def _not_here(self) -> ChatError:
        return ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")

    def close(self, why: str = "") -> None:  # noqa: ARG002  nobody is told
        """Give the name back."""
        self._people.back(self)
        self._people.release(self, self.name, self.token)

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:  # noqa: ARG002  there is nobody to tell
        """The name is somebody else's."""
        self.close()

    def notify(self, text: str) -> None:
        """Nobody is there."""
