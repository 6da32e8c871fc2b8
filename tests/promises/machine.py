"""Many clients that do anything at any time, and a book on what each of them sent and was shown.

A promise is checked by a subclass of `ChatMachine` that overrides what it wants to be told of: `saw`, `answered`,
`rested`. What holds for all of them `Watch` checks. The rules are in the files of those who do something: `coming`,
`talking`, `going`, and here the readers, the disk and the time.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from typing_extensions import override

from tests.fakes import now
from tests.promises.crowd import ANYONE
from tests.promises.going import Going
from twistedchat.stores.base import StoreError

__all__ = ["ChatMachine"]


class ChatMachine(Going):
    """Clients that do anything, a disk that is slow or fails, and time."""

    # -- reading, or not -------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(who=ANYONE)
    def stop_reading(self, who: int) -> None:
        """Somebody takes nothing any more."""
        connection = self.one_of(self.people, who).connection
        if connection.owed and connection.peer.reading:
            connection.peer.stop_reading()
            connection.stopped_at = self.world.reactor.rightNow

    @precondition(lambda self: self.people)
    @rule(who=ANYONE)
    def read_again(self, who: int) -> None:
        """Somebody takes everything again."""
        connection = self.one_of(self.people, who).connection
        if connection.owed:
            connection.peer.read_again()

    @precondition(lambda self: self.people)
    @rule(who=ANYONE, most_bytes=st.sampled_from([1, 50, 3000]))
    def sip(self, who: int, most_bytes: int) -> None:
        """Somebody takes a little."""
        connection = self.one_of(self.people, who).connection
        if connection.owed and not connection.peer.reading:
            connection.peer.take(most_bytes)

    # -- the store and the time ------------------------------------------------------------------

    @rule(holding=st.booleans(), holding_reads=st.booleans())
    def hold(self, holding: bool, holding_reads: bool) -> None:
        """From now on the disk is slow, or not."""
        self.world.held.holding, self.world.held.holding_reads = holding, holding_reads

    @precondition(lambda self: self.world.held.waiting)
    @rule()
    def release(self) -> None:
        """The disk is done with what it was asked."""
        self.world.held.release()
        self.world.run()

    @rule(broken=st.booleans())
    def wreck(self, broken: bool) -> None:
        """The disk fails, or works again."""
        self.world.held.fault = StoreError("The disk is full.") if broken else None

    @rule()
    def hurry(self) -> None:
        """Until time passes, people do the next thing while the server is still busy with the last."""
        self.world.hurry = True

    @rule(seconds=st.sampled_from([0.001, 0.02, 1.0, 30.0, 70.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.pass_seconds(seconds)

    @rule()
    def rest(self) -> None:
        """Everything is well, and everybody reads, for as long as it takes."""
        store = self.world.held
        store.holding = store.holding_reads = False
        store.fault = None
        store.release()
        for connection in self.connections:
            if connection.owed:
                connection.peer.read_again()
        # Longer than a page is tried again after a failure, and than the pause after a batch.
        self.world.pass_seconds(2.0)
        self.look()
        for connection in self.connections:
            assert connection.peer.over or not connection.ending or not connection.owed, "it has nothing to wait for"
        for text, private in self.private.items():
            to = [connection for connection in self.connections if connection.person is private.to]
            lost = not all(connection.owed for connection in to)
            assert private.seen or lost or not private.taken, f"{private.to.names[0]} was not told {text}"
        self.rested()

    # -- the end ---------------------------------------------------------------------------------

    @override
    def teardown(self) -> None:
        """All come to rest, leave, and are forgotten."""
        if not hasattr(self, "world"):
            return
        try:
            self.rest()
            for connection in self.connections:
                connection.peer.reset()
            self.world.pass_seconds(70)
            assert not self.world.reactor.getDelayedCalls(), "somebody who is gone is still waited for"
            now(self.world.hub.close())
        finally:
            self.world.close()
