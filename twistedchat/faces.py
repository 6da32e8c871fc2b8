"""As what people are shown to IRC clients: ``name!~user@host``, also those who are gone.

Knows the register of persons. Must not know who is shown anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.profiles import PAST, source

if TYPE_CHECKING:
    from twistedchat.people.base import People

__all__ = ["Faces"]


class Faces:
    """Names with what stands behind them.

    Args:
        people: The register.
    """

    __slots__ = ("_people",)

    def __init__(self, people: People) -> None:
        self._people = people

    def source(self, who: str, at: int) -> str:
        """``name!~user@host`` of whoever had this name at a time, in milliseconds since 1970."""
        profile = self._people.profile(who)
        if profile is None or profile.since > at:
            return f"{who}!{PAST}"
        return source(who, profile)
