from __future__ import annotations

import colorsys
import re
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from wcwidth import wcswidth

from twistedchat.client.notifications import JoinedRoom, OutgoingLine
from twistedchat.client.paint import NAME_COLOURS, Painter, rows, width_of
from twistedchat.client.panel import Panel
from twistedchat.client.transcript import MOST_ENTRIES, Transcript
from twistedchat.events import Event, Kind

DAY = 86_400_000
PAINTER = Painter("ann")
ROOM = JoinedRoom("lobby")


def event(seq: int, text: str = "hi", *, at: int = 0, who: str = "bob", kind: Kind = Kind.SAY) -> Event:
    return Event("lobby", seq, 1_795_336_200_000 + at, kind, who, text)


def plain(found: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for _, text in row) for row in found]


class TranscriptTests(SynchronousTestCase):
    def test_days(self) -> None:
        """The first event of each day has the day's line, also after older ones were read."""
        transcript = Transcript()
        for seq, at in ((5, 0), (6, 1), (7, DAY)):
            transcript.add(event(seq, at=at))
        assert [bool(entry.day) for entry in transcript.entries] == [True, False, True]
        assert transcript.add_older([event(3, at=-DAY), event(4)]) == 2
        assert [bool(entry.day) for entry in transcript.entries] == [True, True, False, False, True]
        assert (transcript.first, transcript.last) == (3, 7)

    def test_older_ones_only(self) -> None:
        """A page that overlaps adds only what is older."""
        transcript = Transcript()
        transcript.add(event(3))
        assert transcript.add_older([event(2), event(3), event(4)]) == 1
        assert transcript.add_older([event(3)]) == 0

    def test_pending_until_its_event(self) -> None:
        """A line is pending until its event stands in its place, whichever news comes first."""
        for event_first in (True, False):
            transcript = Transcript()
            line = OutgoingLine(ROOM, Kind.SAY, "hi", "key")
            transcript.say(line)
            if event_first:
                transcript.add(event(1))
                assert transcript.pending
                transcript.settle(line, 1)
            else:
                transcript.settle(line, 1)
                assert transcript.pending
                transcript.add(event(1))
            assert not transcript.pending

    def test_refused(self) -> None:
        """A refused line is pending no more."""
        transcript = Transcript()
        line = OutgoingLine(ROOM, Kind.SAY, "hi", "key")
        transcript.say(line)
        transcript.refuse(line)
        assert not transcript.pending

    def test_another_log(self) -> None:
        """A log that begins anew is shown from its beginning."""
        transcript = Transcript()
        for seq in (8, 9, 1):
            transcript.add(event(seq))
        assert (transcript.first, transcript.last, len(transcript.entries)) == (1, 1, 1)

    def test_bounded(self) -> None:
        """The oldest are forgotten, and known to be."""
        transcript = Transcript()
        for seq in range(1, 3 * MOST_ENTRIES):
            transcript.add(event(seq))
            transcript.trim()
        assert len(transcript.entries) <= 2 * MOST_ENTRIES
        oldest = transcript.entries[0].content
        assert isinstance(oldest, Event)
        assert oldest.seq == transcript.first
        assert transcript.index_of(transcript.first + 5) == 5


class PanelTests(SynchronousTestCase):
    def show(self, panel: Panel, width: int = 40, height: int = 6, *, connected: bool = True) -> list[str]:
        return plain(panel.visible(PAINTER, width, height, connected=connected))

    def test_a_screen(self) -> None:
        """Days, events, notes, the mark and lines on their way."""
        panel = Panel()
        panel.add(event(1), PAINTER)
        panel.add(event(2, "waves", kind=Kind.ME), PAINTER)
        panel.transcript.mark = 2
        panel.add(event(3, "", kind=Kind.TOPIC), PAINTER)
        panel.transcript.note("Only you see this.")
        panel.transcript.say(OutgoingLine(ROOM, Kind.SAY, "on its way", "key"))
        found = self.show(panel, height=20, connected=False)
        times = [re.sub(r"^\d\d:\d\d:\d\d", "TIME", row) for row in found]
        assert times[0].startswith("─── ")
        assert times[1:] == [
            "TIME bob: hi",
            "TIME * bob waves",
            "─── new " + "─" * 32,
            "TIME * bob cleared the topic",
            "*** Only you see this.",
            "waiting  ann: on its way",
        ]

    def test_reading_back(self) -> None:
        """Whoever reads further back is not disturbed by what comes."""
        panel = Panel()
        for seq in range(1, 21):
            panel.add(event(seq, f"line {seq}"), PAINTER)
        panel.scroll = 5
        before = self.show(panel)
        assert before[-1].endswith("line 15")
        panel.add(event(21, "long " * 30), PAINTER)
        assert self.show(panel) == before
        panel.scroll = 10_000
        assert self.show(panel)[1].endswith("line 1")
        panel.scroll_to(7, PAINTER, 6)
        assert self.show(panel)[0].endswith("line 7")
        panel.scroll = 0
        assert self.show(panel)[-1].endswith("long ")

    def test_called(self) -> None:
        """One's own name is highlighted in what others say, as a word of its own."""
        said = PAINTER.event(event(1, "Ann, see annex"))
        assert ("class:called", "Ann") in said
        assert ("class:called", "ann") not in said
        assert not PAINTER.calls("annex")

    def test_harmless(self) -> None:
        """Nothing that is shown can do anything to a terminal."""
        nasty = event(1, "\x1b[2J\x07\u202e", who="a\x1bb")
        assert "\x1b" not in "".join(text for _, text in PAINTER.event(nasty))


@example("\u0301 日日", 3)
@example("aaaaaaa aaa日日日日日日日日a", 27)
@settings(deadline=None)
@given(st.text(st.sampled_from("ab é日本🎉\u0301 "), max_size=60), st.integers(2, 30))
def test_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    """However a line is cut, every row fits, and all of the text stands there, in order."""
    found = plain(rows([("", text)], width, 9))
    assert all(sum(map(width_of, row)) <= width for row in found)
    assert re.sub(r" +", "", "".join(found)) == re.sub(r" +", "", text)
    assert all(wcswidth(row) >= 0 for row in found)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_names_read_on_light_and_dark() -> None:
    """Every colour of a name stands out from black and from white, and from its neighbours."""
    for colour in NAME_COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.4
        assert (luminance(colour) + 0.05) / 0.05 >= 4.4
    hues = [colorsys.rgb_to_hls(*(int(c[p : p + 2], 16) / 255 for p in (1, 3, 5)))[0] for c in NAME_COLOURS]
    assert all(later - earlier > 0.06 for earlier, later in pairwise(hues))
