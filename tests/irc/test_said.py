"""Which texts fit into one line, whoever says them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.events import Kind
from twistedchat.irc.said import fits_always, too_long

LONGEST_NAME = "\U0001d4d0" * 24
"""So many characters as a name can have, of four bytes each."""
LONGEST_SOURCE = f"{LONGEST_NAME}!~{'u' * 10}@{'h' * 10}.ip"


class FitsAlwaysTestCase(SynchronousTestCase):
    def test_what_fits_always_fits_behind_the_longest_names(self) -> None:
        """However it is said, and to whomever."""
        longest = max(length for length in range(512) if fits_always("x" * length))
        self.assertGreater(longest, 200)
        for kind in (Kind.SAY, Kind.ME, Kind.NOTICE, Kind.TOPIC):
            self.assertEqual(too_long(LONGEST_SOURCE, kind, f"#{LONGEST_NAME}", "x" * longest), 0)

    def test_what_may_be_longer_when_it_is_shown_is_looked_at(self) -> None:
        """Letters of several bytes, and what is shown as a sign of several."""
        self.assertFalse(fits_always("é"))
        self.assertFalse(fits_always("\x1b[0m"))
