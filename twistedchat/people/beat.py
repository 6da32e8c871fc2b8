"""A node's lease: renewed every two seconds, lost after ten, and how the node comes back.

What the beat hears of other nodes makes good whatever a wake-up has missed. Knows the register only through
`Ward`. Must not know persons' connections, nor how rooms are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.postgres.database import LEASE_SECONDS
from twistedchat.postgres.errors import AnswerError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from twistedchat.people.asking import Asking
    from twistedchat.people.home import Home

__all__ = ["BEAT_SECONDS", "CUT_OFF", "RETRY_SECONDS", "TIDY_BEATS", "Beat", "Ward"]

BEAT_SECONDS = 2.0
"""Interval of the beat, in seconds. Source: NODES.md; a wake-up that was lost is made good in this time."""

RETRY_SECONDS = 0.5
"""Delay before a beat without an answer is tried again, in seconds, so that a database that is back is seen soon.

Source: as `changes.RETRY_SECONDS`. With the interval of the beat, a pause of 6 s could cost a lease of 10 s.
"""

TIDY_BEATS = 300
"""Beats between two deletions of what nobody asks for any more: ten minutes. Source: chosen."""

CUT_OFF = "The server has lost its database. Nothing can be said until it is back."

_NOT_SAID = "Your line was not said, it can't be stored now: the server has lost its database. Try again later."


class Ward(Protocol):
    """What a lease protects: `shared.SharedPeople`."""

    @property
    def is_settled(self) -> bool:
        """Whether the database should have all of this node's people, and no more."""
        ...

    def versions(self, rooms: Collection[str]) -> Sequence[tuple[str, int]]:
        """The rosters that are known of this node's rooms; others are forgotten."""
        ...

    def listed(self) -> Sequence[Sequence[object]]:
        """This node's people, as `Asking.come_back` takes them."""
        ...

    def count(self) -> int:
        """How many they are."""
        ...

    def cut_off(self, text: str) -> None:
        """The lease has lapsed."""
        ...

    def joined_up(self, lost: Sequence[tuple[str, bool]], text: str) -> None:
        """There is a lease again; these names were lost, and whether the session goes on at another node."""
        ...

    def news(self, stale: Sequence[str], *, has_tells: bool) -> None:
        """Rosters have changed; private lines wait."""
        ...


class Beat:
    """Renews a lease.

    Args:
        asking: The database.
        ward: Whom the lease is for.
        clock: For the time.

    Attributes:
        trouble: Why there is no lease; "" while there is one.
    """

    __slots__ = ("_asking", "_beats", "_clock", "_home", "_lapse", "_log", "_next", "_under_way", "_ward", "trouble")

    def __init__(self, asking: Asking, ward: Ward, clock: IReactorTime) -> None:
        self._asking = asking
        self._ward = ward
        self._clock = clock
        self._home: Home
        self._next: IDelayedCall | None = None
        self._lapse: IDelayedCall | None = None
        self._under_way: Deferred[None] | None = None
        self._beats = 0
        self._log = Logger()
        self.trouble = ""

    def open(self, home: Home) -> None:
        """The lease has just begun: keep it."""
        self._home = home
        self._held_from(self._clock.seconds())
        self._next = self._clock.callLater(BEAT_SECONDS, self.now)

    def close(self) -> None:
        """Renew it no more."""
        for call in (self._next, self._lapse):
            if call is not None and call.active():
                call.cancel()
        self._next = self._lapse = None
        if self._under_way is not None:
            self._under_way.cancel()

    def now(self) -> None:
        """Ask now, if nothing is being asked."""
        if self._under_way is None and self._next is not None:
            if self._next.active():
                self._next.cancel()
            self._under_way = Deferred.fromCoroutine(self._beat())
            self._under_way.addCallbacks(lambda _: BEAT_SECONDS, self._failed).addCallback(self._done)

    def _failed(self, failure: Failure) -> float:
        """Log what is to be logged; when to try again, in seconds."""
        if failure.check(AnswerError):
            self._log.error("The database refuses the beat: {error}", error=failure.value)
            return BEAT_SECONDS
        if not failure.check(StoreError, CancelledError):
            self._log.failure("The beat failed", failure)
        return RETRY_SECONDS

    def _done(self, pause_seconds: float) -> None:
        self._under_way = None
        if self._next is not None:
            self._next = self._clock.callLater(pause_seconds, self.now)

    async def _beat(self) -> None:
        began = self._clock.seconds()
        was_settled = self._ward.is_settled
        heads = list(self._home.heads())
        answer = await self._asking.beat(heads, self._ward.versions({room for room, _, _ in heads}))
        if isinstance(answer, str) or self.trouble:
            await self._come_back()
            return
        self._held_from(began)
        self._take_in(answer)
        if was_settled and self._ward.is_settled and answer["people"] != self._ward.count():
            self._log.warn("The database has other people of this node than are here: they are claimed anew.")
            await self._claim_anew()
        self._beats += 1
        if not self._beats % TIDY_BEATS:
            await self._asking.tidy()

    def _take_in(self, news: dict[str, Any]) -> None:
        stands = {room: seq for room, seq, _ in self._home.heads()}
        for room, seq, head, at in news["cut"]:
            # Unless it has moved on meanwhile: then the next beat tells.
            if stands.get(room) == seq:
                self._home.log_lost(room, head, at)
        for room, head in news["moved"]:
            self._home.heard(room, head)
        self._ward.news(news["stale"], has_tells=news["tells"])

    # -- the lease -----------------------------------------------------------------------------

    def _held_from(self, began: float) -> None:
        """The lease was renewed after this time: it holds so long from then on, whatever the database's clock says."""
        due = began + LEASE_SECONDS - self._clock.seconds()
        if self._lapse is not None and self._lapse.active():
            self._lapse.cancel()
        self._lapse = self._clock.callLater(max(0.0, due), self._lapsed)

    def _lapsed(self) -> None:
        if not self.trouble:
            self.trouble = CUT_OFF
            self._log.error("The lease has lapsed: nothing is taken until the database answers.")
            # First this: whoever has lost the name says nothing under it.
            self._home.cut_off(ChatError("not-stored", _NOT_SAID))
            self._ward.cut_off(CUT_OFF)

    async def _come_back(self) -> None:
        """The lease has lapsed, and the database answers again."""
        self._lapsed()
        began = self._clock.seconds()
        lost = await self._asking.come_back(self._ward.listed())
        self.trouble = ""
        self._held_from(began)
        self._log.info("The database is back; {count} names were lost.", count=len(lost))
        self._ward.joined_up(lost, "The database is back: you can talk again.")
        self._home.joined_up()

    async def _claim_anew(self) -> None:
        lost = await self._asking.come_back(self._ward.listed())
        self._ward.joined_up(lost, "")
