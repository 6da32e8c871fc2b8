from __future__ import annotations

from itertools import count

from twistedchat.events import Draft, Kind

__all__ = ["draft"]

_ids = count(1)


def draft(room: str, kind: Kind, who: str, text: str, key: str | None = None, tags: str = "") -> Draft:
    """A draft with an id of its own."""
    return Draft(id=str(next(_ids)), room=room, kind=kind, who=who, text=text, key=key, tags=tags)
