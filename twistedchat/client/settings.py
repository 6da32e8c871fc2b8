"""How one person wants to be shown things; what ``/set`` and ``/ignore`` change. Must not know a screen."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_name, likenesses
from twistedchat.text import safe

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

__all__ = ["SWITCHES", "DisplaySettings"]

SWITCHES = ("seq", "presence", "bell")
"""Settings that are on or off. Source: ``/help set``."""

_ON_OFF = {"on": True, "off": False, "yes": True, "no": False}


@dataclass(slots=True)
class DisplaySettings:
    """How a person wants to be shown things.

    Attributes:
        zone: The zone of the times; None is the one of this machine.
        seq: Whether events are shown with their number.
        presence: Whether coming and going is shown.
        bell: Whether to ring when one's name is said.
        ignored: Of whom nothing is shown: the likenesses of each, by the name as it was typed.
    """

    zone: datetime.tzinfo | None = None
    seq: bool = False
    presence: bool = True
    bell: bool = False
    ignored: dict[str, frozenset[str]] = field(default_factory=dict)

    def switch(self, switches: Mapping[str, bool]) -> None:
        """Set some of `SWITCHES`."""
        for name, value in switches.items():
            setattr(self, name, value)

    def change(self, name: str, value: str) -> None:
        """Change one, as it is typed.

        Raises:
            ChatError: ``bad-request``, ``bad-zone``.
        """
        name = name.lower()
        if name == "zone" and value:
            self.zone = _zone(value)
        elif name in SWITCHES and value.lower() in _ON_OFF:
            setattr(self, name, _ON_OFF[value.lower()])
        else:
            raise ChatError("bad-request", "Set seq, presence or bell to on or off, or zone to one such as Asia/Tokyo.")

    @property
    def summary(self) -> str:
        """All of them in a few words."""
        switches = [f"{name} {'on' if getattr(self, name) else 'off'}" for name in SWITCHES]
        return f"zone {self.zone or 'local'}, {', '.join(switches)}"

    # -- whom to ignore --------------------------------------------------------------------------

    def ignores(self, who: str) -> bool:
        """Whether nothing of this person is to be shown."""
        if not self.ignored:
            return False
        keys = likenesses(who)
        return any(not ignored.isdisjoint(keys) for ignored in self.ignored.values())

    def ignore(self, raw: str) -> None:
        """Show nothing of somebody from now on.

        Raises:
            ChatError: ``bad-name``.
        """
        name = clean_name(raw)
        self.ignored[name] = frozenset(likenesses(name))

    def unignore(self, raw: str) -> str:
        """Show somebody again; returns the name.

        Raises:
            ChatError: ``bad-name``, ``not-ignored``.
        """
        name = clean_name(raw)
        keys = likenesses(name)
        matching = [other for other, ignored in self.ignored.items() if not ignored.isdisjoint(keys)]
        if not matching:
            raise ChatError("not-ignored", f"You do not ignore {name}; /ignore lists whom you do.")
        for other in matching:
            del self.ignored[other]
        return name


def _zone(name: str) -> datetime.tzinfo | None:
    """A zone by its name; ``server``, as at telnet, and ``local`` are the one that a screen begins with."""
    if name.lower() in {"server", "local"}:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = safe(name[:40])
        raise ChatError("bad-zone", f"There is no zone {shown}: give one such as Asia/Tokyo, UTC or local.") from error
