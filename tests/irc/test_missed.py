"""What a client that comes back has missed is marked off from what is live, and said as ever."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.events import Event, Kind
from twistedchat.irc.format import IrcFormat, Tags
from twistedchat.irc.missed import Missed

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Faces:
    """Everybody is at home."""

    def source(self, who: str, at: int) -> str:
        return f"{who}!~u@h"


FORM = IrcFormat(Tags.NONE, has_multiline=False, faces=_Faces(), log="f2m8zt4q", server="irc.chatroom")
LIVE = ":HistServ!~past@log NOTICE #den :*** From here on it is live."


def events(seqs: Iterable[int], room: str = "den") -> list[Event]:
    return [Event(room, seq, 1000 * seq, Kind.SAY, "ann", str(seq), "") for seq in seqs]


def said(seqs: Iterable[int], tags: str = "") -> list[str]:
    return [f"{tags}:ann!~u@h PRIVMSG #den :{seq}" for seq in seqs]


class MissedTests(SynchronousTestCase):
    def shown(self, missed: Missed, seqs: Iterable[int]) -> tuple[list[str], list[int]]:
        """What is told of a run of events, and which of them are live."""
        parted = missed.part(events(seqs), FORM)
        return parted.past.decode().splitlines(), [event.seq for event in parted.live]

    def test_notices(self) -> None:
        """Without batches: lines as ever, and a notice where the past ends, once."""
        missed = Missed(None)
        missed.expect("den", 5)
        self.assertTrue(missed)
        self.assertEqual(self.shown(missed, [2, 3]), (said([2, 3]), []))
        self.assertEqual(self.shown(missed, [4, 5, 6]), ([*said([4, 5]), LIVE], [6]))
        self.assertFalse(missed)
        self.assertEqual(self.shown(missed, [7]), ([], [7]))

    def test_batches(self) -> None:
        """With batches: each run in one of its own."""
        references = map(str, itertools.count(1))
        missed = Missed(lambda: next(references))
        missed.expect("den", 3)
        for number, seqs in ((1, [1, 2]), (2, [3, 4])):
            past = [seq for seq in seqs if seq <= 3]
            opening = f":irc.chatroom BATCH +{number} chathistory #den"
            batch = [opening, *said(past, f"@batch={number} "), f":irc.chatroom BATCH -{number}"]
            self.assertEqual(self.shown(missed, seqs), (batch, seqs[len(past) :]))

    def test_gone(self) -> None:
        """If the rest of the past can't be read any more, it ends all the same."""
        missed = Missed(None)
        missed.expect("den", 5)
        self.assertEqual(self.shown(missed, [6]), ([LIVE], [6]))
        missed.expect("den", 9)
        batched = Missed(lambda: "1")
        batched.expect("den", 5)
        self.assertEqual(self.shown(batched, [6]), ([], [6]))

    def test_left(self) -> None:
        """Of a room that is not shown any more nothing is expected."""
        missed = Missed(None)
        missed.expect("den", 5)
        missed.expect("attic", 7)
        missed.forget("den")
        missed.forget("nowhere")
        self.assertEqual(self.shown(missed, [4]), ([], [4]))
        self.assertTrue(missed)
