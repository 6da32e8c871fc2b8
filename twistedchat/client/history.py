"""Pages of a room's log, and the place in it where a time of day is. Must not know a screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twistedchat.client.messages import event_of
from twistedchat.client.times import time_of_day

if TYPE_CHECKING:
    import datetime

    from twistedchat.client.conversation import Conversation
    from twistedchat.events import Event

__all__ = ["MAX_PAGE_EVENTS", "page", "place"]

MAX_PAGE_EVENTS = 500
"""Upper bound of the events of a page. Source: docs/protocol.md, ``history``."""


async def page(
    conversation: Conversation, room: str, *, after: int | None = None, before: int | None = None, limit: int = 100
) -> list[Event]:
    """A page of a room's log, oldest first; without bounds the newest.

    Raises:
        ChatError: There is no such room, or no connection.
    """
    bounds = {name: seq for name, seq in (("after", after), ("before", before)) if seq is not None}
    answer = await conversation.ask("history", room=room, limit=limit, **bounds)
    return [event_of(message) for message in answer.fields["events"]]


async def place(
    conversation: Conversation, room: str, text: str, now: float, zone: datetime.tzinfo | None = None
) -> int:
    """The seq after which it goes on, for a seq or a time of day such as a person writes.

    Args:
        conversation: A connected one.
        room: One that exists.
        text: ``1200``, ``14:30`` or ``14:30:05``; a time is the last moment at which it was that.
        now: Seconds since 1970.
        zone: Whose time of day; None is the one of this machine.

    Raises:
        ChatError: ``bad-request``; or as `page`.
    """
    if re.fullmatch(r"\d{1,15}", text, re.ASCII):
        return int(text)
    at = time_of_day(text, now, zone)
    newest = await page(conversation, room, limit=1)
    low, high = 0, newest[-1].seq if newest else 0
    # All up to low was before that time; nothing after high was.
    while low < high:
        middle = (low + high + 1) // 2
        found = await page(conversation, room, before=middle + 1, limit=1)
        if found and found[0].at < at:
            low = middle
        else:
            high = middle - 1
    return low
