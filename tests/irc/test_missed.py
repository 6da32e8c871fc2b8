"""What a client that comes back has missed is marked off from what is live, and said as ever."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.events import Event, Kind
from twistedchat.irc.format import IrcFormat, Tags
from twistedchat.irc.missed import Missed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
    def missed(self, last: int, references: Iterator[str] | None = None) -> Missed:
        reference = None if references is None else lambda: next(references)
        return Missed(last, FORM, reference, lambda at: f"*** missed from {at}:")

    def shown(self, missed: Missed, seqs: Iterable[int]) -> list[str]:
        """What is told of a page."""
        return missed.show(FORM.page(events(seqs))).decode().splitlines()

    def test_notices(self) -> None:
        """Without batches: lines as ever between two notices, each once; what is live is not among it."""
        missed = self.missed(5)
        opening = ":HistServ!~past@log NOTICE #den :*** missed from 2000:"
        self.assertEqual(self.shown(missed, [2, 3]), [opening, *said([2, 3])])
        self.assertEqual(self.shown(missed, [4, 5, 6]), [*said([4, 5]), LIVE])

    def test_batches(self) -> None:
        """With batches: each page in one of its own."""
        missed = self.missed(3, map(str, itertools.count(1)))
        for number, seqs in ((1, [1, 2]), (2, [3, 4])):
            past = [seq for seq in seqs if seq <= 3]
            opening = f":irc.chatroom BATCH +{number} chathistory #den"
            batch = [opening, *said(past, f"@batch={number} "), f":irc.chatroom BATCH -{number}"]
            self.assertEqual(self.shown(missed, seqs), batch)

    def test_gone(self) -> None:
        """If the past can't be read any more, or the rest of it, it ends all the same."""
        self.assertEqual(self.shown(self.missed(5), [6]), [])
        self.assertEqual(self.shown(self.missed(5, iter("1")), [6]), [])
        missed = self.missed(5)
        self.shown(missed, [3])
        self.assertEqual(self.shown(missed, [6]), [LIVE])
