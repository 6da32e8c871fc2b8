"""Gapless for IRC clients that can do nothing but ``PASS``.

Whatever happens to its connections, a client that comes back by name and word is shown every line that was said since
it joined, in the log's order; what comes twice is what was not known to have arrived.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import World
from tests.irc.client import IrcClient, come
from tests.promises.examples import FIXED

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = "a word of mine"
CAPS: tuple[tuple[str, ...], ...] = ((), ("batch", "server-time"), ("batch", "message-tags", "echo-message"))
"""Clients of each sort: telling what was missed between notices, and in batches."""

MOST = 40_000
"""Bytes of one return; more come than of those between, as what was missed piles up."""

STAY = 500.0
"""A silent client is let go after 150 s, and has left 600 s later."""

_SAID = re.compile(r":bob\S* PRIVMSG #den :line (\d+)\b")


class Story:
    """One person with one connection after another, and somebody who talks.

    Attributes:
        world: Where.
        said: How many lines were said.
        seen: The number of the last line that was seen without a gap, from the first on.
    """

    def __init__(self) -> None:
        self.world = World()
        self.bob = come(self.world, "bob", rooms=["den"])
        self.said = 0
        self.seen = 0
        self._views: dict[IrcClient, int] = {}
        self.ann = come(self.world, "ann", word=WORD, rooms=["den"])

    def say(self, count: int = 1) -> None:
        for _ in range(count):
            self.said += 1
            self.bob.say(f"PRIVMSG #den :line {self.said} of what is said")

    def look(self) -> None:
        """See what has come: in each connection one line after the other, beginning not behind what was seen."""
        for line in self.ann.news():
            found = _SAID.search(line)
            if found:
                number = int(found[1])
                last = self._views.get(self.ann)
                if last is None:
                    assert number <= self.seen + 1, f"after {self.seen} comes {number}"
                else:
                    assert number == last + 1, f"{number} comes behind {last}"
                self._views[self.ann] = number
                self.seen = max(self.seen, number)

    def come_back(self, caps: Sequence[str] = (), buffer_bytes: int = 1 << 20) -> None:
        self.ann = IrcClient(self.world, buffer_bytes=buffer_bytes)
        asks = [f"CAP REQ :{' '.join(caps)}", "CAP END"] if caps else []
        self.ann.say(f"PASS {WORD}", *asks, "NICK ann", "USER ann 0 * :ann")

    def end(self) -> None:
        """All comes to rest: the person has seen everything."""
        self.ann.reset()
        self.come_back()
        self.say()
        self.world.pass_seconds(10)
        self.look()
        assert self.seen == self.said, f"{self.seen} of {self.said} were seen"
        assert self.world.faults == [], self.world.faults
        self.world.close()


class IrcGapless(SynchronousTestCase):
    def test_every_byte(self) -> None:
        """The connection is cut behind every byte of what it is sent on coming back and then live."""
        for caps in CAPS:
            story = Story()
            story.look()
            for cut in range(MOST):
                story.ann.reset()
                story.say(2)
                story.come_back(caps)
                story.say(2)
                story.world.pass_seconds(0.05)
                # What it has not read is gone with the connection.
                end = story.ann.received.index(b" JOIN #den") + cut
                is_whole = end >= len(story.ann.received)
                del story.ann.received[end:]
                story.look()
                if is_whole:
                    break
                if not cut % 50:
                    story.ann.reset()
                    story.come_back(caps)
                    # Long enough to be asked what has arrived.
                    story.world.pass_seconds(40)
                    story.look()
                    self.assertEqual(story.seen, story.said)
            else:
                self.fail("it is never shown all")
            story.end()

    @settings(FIXED, max_examples=60)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("say"), st.sampled_from([1, 3, 200])),
                st.tuples(st.just("wait"), st.sampled_from([0.01, 1.0, 20.0, 31.0, 100.0])),
                st.tuples(st.just("back"), st.integers(0, 5)),
                st.tuples(st.just("stop"), st.just(0)),
                st.tuples(st.just("sip"), st.sampled_from([1, 100, 3000])),
                st.tuples(st.just("read"), st.just(0)),
                st.tuples(st.just("hold"), st.booleans()),
            ),
            max_size=25,
        )
    )
    def test_anything(self, steps: Sequence[tuple[str, float]]) -> None:
        """Lines, cuts, slow readers, a slow disk, and time, in any order."""
        story = Story()
        gone_for = 0.0
        for step, value in steps:
            if step == "say":
                story.say(int(value))
            elif step == "wait":
                story.world.pass_seconds(value)
                gone_for += value
            elif step == "back" and not story.world.held.holding:
                [story.ann.reset, story.ann.vanish, story.ann.close][int(value) % 3]()
                story.look()
                story.come_back(CAPS[int(value) % 3], 300 if value > 2 else 1 << 20)
                gone_for = 0.0
            elif step == "stop":
                story.ann.stop_reading()
            elif step == "sip" and not story.ann.reading:
                story.ann.take(int(value))
            elif step == "read" and not story.ann.over:
                story.ann.read_again()
            elif step == "hold":
                story.world.held.holding = bool(value)
                if not value:
                    story.world.held.release()
                    story.world.run()
            story.look()
            if gone_for > STAY:
                # It may have left, having been silent for too long.
                break
        story.world.held.holding = False
        story.world.held.release()
        story.world.pass_seconds(1)
        story.end()
