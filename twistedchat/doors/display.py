"""How one person at plain text wants to be shown things. Knows names. Must not know a connection or a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twistedchat.names import likenesses

if TYPE_CHECKING:
    import datetime

__all__ = ["Display"]

_NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Display:
    """How one person wants to be shown things; what ``/set`` and ``/ignore`` change.

    Attributes:
        zone: The zone of the times; None is the server's.
        seq: Whether events are shown with their number.
        presence: Whether coming and going is shown.
        bell: Whether to ring when one's name is said.
        ignoring: The names that are not shown, each with its likenesses.
        ignored: All these likenesses.
    """

    zone: datetime.tzinfo | None = None
    seq: bool = False
    presence: bool = True
    bell: bool = False
    ignoring: dict[str, frozenset[str]] | None = None
    ignored: frozenset[str] = _NOBODY

    @property
    def is_personal(self) -> bool:
        """Whether pages that others are shown too may have to be changed for this person."""
        return self.bell or bool(self.ignored)

    def ignore(self, name: str) -> None:
        """Show nothing of this person."""
        self.ignoring = (self.ignoring or {}) | {name: frozenset(likenesses(name))}
        self._gather()

    def unignore(self, name: str) -> bool:
        """Show this person again; False if it was shown already."""
        ignoring = self.ignoring or {}
        keys = likenesses(name)
        kept = {other: theirs for other, theirs in ignoring.items() if theirs.isdisjoint(keys)}
        self.ignoring = kept or None
        self._gather()
        return len(kept) < len(ignoring)

    def _gather(self) -> None:
        self.ignored = _NOBODY.union(*(self.ignoring or {}).values())
