"""Reading the log: one place that words a failure, and tells the operator once.

Knows the store. Must not know who reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event
    from twistedchat.stores.base import Store

__all__ = ["LogReader"]


class LogReader:
    """Reads pages of the log.

    Args:
        store: Where the logs are.
    """

    __slots__ = ("_fails", "_log", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fails = False
        self._log = Logger()

    async def page(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int,
    ) -> Sequence[Event]:
        """A page of a room's log; see `stores.base.Store.read`.

        Raises:
            StoreError: It could not be read; when this begins and when it ends, the daemon's log has a line.
        """
        try:
            events = await self._store.read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)
        except CancelledError:
            # Whoever asked is gone; that says nothing about the store.
            raise
        except StoreError as error:
            if not self._fails:
                self._fails = True
                self._log.error("The logs can't be read: {error}", error=error)
            raise
        except Exception as fault:
            if not self._fails:
                self._fails = True
                self._log.failure("The logs can't be read: the store failed in a way that it should not")
            raise StoreError(f"It failed ({type(fault).__name__}); the server's log says more.") from fault
        if self._fails:
            self._fails = False
            self._log.info("The logs can be read again.")
        return events

    async def excerpt(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int,
    ) -> Sequence[Event]:
        """The same, for somebody who asked for it.

        Raises:
            ChatError: ``not-readable``.
        """
        try:
            return await self.page(room, after=after, before=before, limit=limit, max_bytes=max_bytes)
        except StoreError as error:
            raise ChatError("not-readable", "The log of this room can't be read now. Try again later.") from error

    async def seq_at(self, room: str, last: int, at: int) -> int:
        """The seq of the last event before a time, or 0. About 20 small reads for a million events.

        Args:
            room: The room's name.
            last: The seq of its last event.
            at: Milliseconds since 1970.

        Raises:
            ChatError: ``not-readable``.
        """
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            events = await self.excerpt(room, after=middle - 1, limit=1, max_bytes=1)
            if events and events[0].at < at:
                low = middle
            else:
                high = middle - 1
        return low
