from __future__ import annotations

import datetime
import re

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.irc.test_format import HALF_PAST_EIGHT, event, way
from tests.irc.test_pieces import ANY_TEXT
from twistedchat.events import Event, Kind
from twistedchat.irc.format import Tags
from twistedchat.irc.retold import LIVE, Clock, chathistory, notice, retold, said_earlier, said_meanwhile

DAY = 86_400_000
TODAY = Clock(HALF_PAST_EIGHT + 60_000, datetime.UTC)
TOMORROW = Clock(HALF_PAST_EIGHT + DAY, datetime.UTC)
START = ":HistServ!~past@log NOTICE #lobby :"


def told(shown: Event, clock: Clock = TODAY, *, numbered: bool = False) -> list[str]:
    data = retold(shown, clock, numbered=numbered).decode()
    return [line.removeprefix(START) for line in data.split("\r\n")[:-1]]


class NoticesTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Each kind of event is told with its time and its speaker."""
        for kind, who, text, line in [
            (Kind.SAY, "bob", "hi", "[08:30:12] <bob> hi"),
            (Kind.ME, "bob", "waves", "[08:30:12] * bob waves"),
            (Kind.NOTICE, "bob", "hi", "[08:30:12] -bob- hi"),
            (Kind.NOTICE, "", "we stop", "[08:30:12] ! we stop"),
            (Kind.TOPIC, "bob", "tea", "[08:30:12] * bob set the topic: tea"),
            (Kind.TOPIC, "bob", "", "[08:30:12] * bob cleared the topic"),
        ]:
            self.assertEqual(told(event(text, kind, who)), [line])

    def test_times(self) -> None:
        """The date is told if it is not of today; the seq if it is wanted; both in the reader's zone."""
        self.assertEqual(told(event(), TOMORROW), ["[2026-11-22 08:30:12] <bob> hi"])
        self.assertEqual(told(event(), TOMORROW, numbered=True), ["[2026-11-22 08:30:12 17] <bob> hi"])
        late = datetime.timezone(datetime.timedelta(hours=20))
        self.assertEqual(told(event(), Clock(HALF_PAST_EIGHT, late), numbered=True), ["[04:30:12 17] <bob> hi"])

    def test_frames(self) -> None:
        """What stands around the lines."""
        self.assertEqual(said_earlier(3), "*** 3 lines said earlier:")
        self.assertEqual(said_earlier(1), "*** 1 line said earlier:")
        self.assertEqual(
            said_meanwhile(2, HALF_PAST_EIGHT, HALF_PAST_EIGHT + 2000, TODAY),
            "*** 2 lines that you missed, said from 08:30:12 to 08:30:14:",
        )
        self.assertEqual(notice("lobby", LIVE).decode(), f"{START}*** From here on it is live.\r\n")

    def test_long(self) -> None:
        """Each piece of a longer event begins with its time and its speaker, so that nobody can forge another's."""
        forged = "a\n\n[08:30:12] <carol> b"
        self.assertEqual(told(event(forged)), ["[08:30:12] <bob> a", "[08:30:12] <bob> [08:30:12] <carol> b"])
        self.assertEqual(len(told(event("x" * 1000))), 3)

    @given(ANY_TEXT.map(lambda text: text * 10), st.sampled_from([*Kind]), st.text("aの", max_size=24), st.booleans())
    @example("\n" * 4096, Kind.SAY, "の" * 24, True)
    def test_any(self, text: str, kind: Kind, who: str, numbered: bool) -> None:
        """Whatever was said, it is told in whole lines of at most 512 bytes, each with its time."""
        for line in retold(event(text, kind, who), TOMORROW, numbered=numbered).split(b"\r\n")[:-1]:
            self.assertLessEqual(len(line), 510)
            self.assertRegex(line.decode(), rf"^{re.escape(START)}\[2026-11-22 08:30:12( 17)?\] ")
            self.assertIsNone(re.search(rb"[\r\n\0\1\x1b]", line))


class BatchTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """A batch has the events as they were shown live, and its reference on each."""
        form = way(Tags.ALL)
        events = [event("a"), event("b", Kind.TOPIC)]
        found = list(chathistory(form, "1", "lobby", events))
        self.assertEqual(found[0], b":irc.chatroom BATCH +1 chathistory #lobby\r\n")
        self.assertEqual([line.replace(b"batch=1;", b"") for line in found[1:-1]], list(form.page(events).lines))
        self.assertEqual(found[-1], b":irc.chatroom BATCH -1\r\n")

    def test_nothing(self) -> None:
        """A batch may be empty; its label stands on its first line alone."""
        found = list(chathistory(way(), "1", "lobby", [], "label=7"))
        expected = [b"@label=7 :irc.chatroom BATCH +1 chathistory #lobby\r\n", b":irc.chatroom BATCH -1\r\n"]
        self.assertEqual(found, expected)
