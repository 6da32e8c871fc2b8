from __future__ import annotations

import datetime
import string
import tracemalloc
import zoneinfo
from itertools import islice, product

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.events import Event, Kind
from twistedchat.formats.base import INDEXED_PAGES, Change
from twistedchat.formats.plain import PlainFormat, aside, personal
from twistedchat.names import likenesses

HALF_PAST_EIGHT = 1_795_336_212_000  # 22 November 2026, 08:30:12 UTC
DAY = 86_400_000
UTC = PlainFormat(zone=datetime.UTC)


def event(text: str = "hi", *, kind: Kind = Kind.SAY, who: str = "bob", at: int = HALF_PAST_EIGHT) -> Event:
    return Event("lobby", 7, at, kind, who, text)


def line(shown: Event, format_: PlainFormat = UTC) -> str:
    return format_.page([shown]).data.decode()


class EventTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Each kind of event has its form, ended by CR LF."""
        for kind, text, shown in [
            (Kind.SAY, "hi", "bob: hi"),
            (Kind.ME, "waves", "* bob waves"),
            (Kind.TOPIC, "tea", "* bob set the topic: tea"),
            (Kind.TOPIC, "", "* bob cleared the topic"),
            (Kind.NOTICE, "beep", "-bob- beep"),
        ]:
            self.assertEqual(line(event(text, kind=kind)), f"[08:30:12] {shown}\r\n")

    def test_notices(self) -> None:
        """A notice of the server has a sign that nobody else's line can have."""
        self.assertEqual(line(event("we stop at noon", kind=Kind.NOTICE, who="")), "[08:30:12] ! we stop at noon\r\n")
        forged = line(event("! we stop now", kind=Kind.NOTICE))
        self.assertEqual(forged, "[08:30:12] -bob- ! we stop now\r\n")

    def test_formatting(self) -> None:
        """What IRC means by bold or a colour is left out, a colour's numbers too; all else is a picture."""
        for text, shown in [
            ("\x02bold\x02 \x1dit\x1d \x1fun\x1f \x1es\x1e \x11m\x11 \x16r\x0f", "bold it un s m r"),
            ("\x0304red\x03 \x034,12both\x03 \x0399,1x \x03,5 \x031234", "red both x ,5 34"),
            ("\x04ff0000red\x04 \x04FF0000,00ff00x \x04abc", "red x abc"),
            ("\x02\x1b[31m\x03", "␛[31m"),
        ]:
            for kind in (Kind.SAY, Kind.NOTICE):
                self.assertTrue(line(event(text, kind=kind)).endswith(f" {shown}\r\n"), text)
            self.assertEqual(aside(text).decode(), f"*** {shown}\r\n")

    def test_other_room(self) -> None:
        """An event of a room in which the reader does not talk says so, before the name or the asterisk."""
        elsewhere = PlainFormat(zone=datetime.UTC, with_room=True)
        self.assertEqual(line(event(), elsewhere), "[08:30:12] #lobby bob: hi\r\n")
        self.assertEqual(line(event("nods", kind=Kind.ME), elsewhere), "[08:30:12] #lobby * bob nods\r\n")

    def test_numbered(self) -> None:
        """The seq stands behind the time if the reader wants it."""
        self.assertEqual(line(event(), PlainFormat(zone=datetime.UTC, numbered=True)), "[08:30:12 7] bob: hi\r\n")

    def test_zone(self) -> None:
        """Times and dates are those of the reader's zone."""
        page = PlainFormat(zone=zoneinfo.ZoneInfo("Asia/Tokyo")).page([event(at=HALF_PAST_EIGHT + DAY // 2)])
        self.assertEqual((page.date + page.data).decode(), "--- Monday 23 November 2026 ---\r\n[05:30:12] bob: hi\r\n")

    @given(st.text())
    def test_one_line(self, text: str) -> None:
        """Whatever is said, it is one line, which begins with the time."""
        shown = line(event(text))
        self.assertEqual(len(shown.splitlines()), 1)
        self.assertTrue(shown.startswith("[08:30:12] bob: ") and shown.endswith("\r\n"), shown)


class DateTests(SynchronousTestCase):
    def test_first_day(self) -> None:
        """The line with the date is only for a reader who has not had that day."""
        page = UTC.page([event()])
        self.assertEqual(page.data, b"[08:30:12] bob: hi\r\n")
        self.assertEqual(page.date, b"--- Sunday 22 November 2026 ---\r\n")

    def test_later_days(self) -> None:
        """Each later day of a page begins with its date, and the page tells where it ends."""
        page = UTC.page([event(), event(at=HALF_PAST_EIGHT + DAY), event(at=HALF_PAST_EIGHT + DAY)])
        self.assertEqual(page.data.count(b"---"), 2)
        self.assertIn(b"--- Monday 23 November 2026 ---\r\n[08:30:12] bob: hi\r\n[08:30:12] bob: hi\r\n", page.data)
        self.assertEqual(page.last_day, UTC.page([event(at=HALF_PAST_EIGHT + DAY)]).first_day)


class PresenceTests(SynchronousTestCase):
    change = Change("lobby", ("bob", "carol"), (("dave", ""), ("erin", "bye\x1b")), (("fay", "gus"),), 9)

    def test_lines(self) -> None:
        """Those who came share a line, as do those who left without a word; each parting word has its own."""
        self.assertEqual(
            UTC.presence(self.change).decode().split("\r\n"),
            [
                "*** bob and carol are here now.",
                "*** dave left.",
                "*** erin left: bye␛",
                "*** fay is now called gus.",
                "",
            ],
        )

    def test_other_room(self) -> None:
        """In a room in which the reader does not talk it says where."""
        shown = PlainFormat(with_room=True).presence(Change("py", ("bob",), (("dave", ""),), (), 2))
        self.assertEqual(shown, b"*** bob is here now in #py.\r\n*** dave left in #py.\r\n")

    def test_not_wanted(self) -> None:
        """Nothing is shown to a reader who does not want it, nor when names are left out."""
        self.assertEqual(PlainFormat(with_presence=False).presence(self.change), b"")
        self.assertEqual(UTC.presence(Change("lobby", (), (), (), 70)), b"")


class PersonalTests(SynchronousTestCase):
    """What one reader alone wants of a page that all share."""

    def personal(self, *events: Event, ignored: str = "", ring_for: str = "") -> str:
        page = UTC.page(events)
        return personal(page, ignored=frozenset(likenesses(ignored) if ignored else ()), ring_for=ring_for).decode()

    def test_nothing_of_it(self) -> None:
        """Whoever is not spoken of and ignores nobody in the page is shown the bytes that all are shown."""
        page = UTC.page([event(), event("ann is here")])
        self.assertIs(personal(page, ignored=frozenset(likenesses("carol")), ring_for="dan"), page.data)

    def test_bell(self) -> None:
        """It rings when somebody else says the reader's name as a word, in any case, and for nothing else."""
        for who, text, rings in [
            ("bob", "hello ANN!", True),
            ("bob", "hello Annabel", False),
            ("ann", "I am ann", False),
            ("bob", "hi", False),
        ]:
            shown = self.personal(event(text, who=who), ring_for="ann")
            self.assertEqual((shown.endswith("\a\r\n"), shown.count("\a")), (rings, rings), text)

    def test_ignored(self) -> None:
        """Nothing is shown of somebody ignored, by any name that looks alike; the server can't be ignored."""
        said = [event(who="b0b"), event("nods", kind=Kind.ME), event("beep", kind=Kind.NOTICE)]
        others = [event("stop", kind=Kind.NOTICE, who=""), event(who="ann")]
        shown = self.personal(*said, *others, ignored="bob")
        self.assertEqual(shown, "[08:30:12] ! stop\r\n[08:30:12] ann: hi\r\n")
        self.assertEqual(self.personal(*said, ignored="bob"), "")

    def test_both(self) -> None:
        """Lines are left out and bells rung in one page of two days, at the right places; no date is lost."""
        later = HALF_PAST_EIGHT + DAY
        said = [event("ann?"), event(who="carol"), event("ann!", at=later), event("x", who="carol", at=later)]
        self.assertEqual(
            self.personal(*said, ignored="carol", ring_for="ann"),
            "[08:30:12] bob: ann?\a\r\n--- Monday 23 November 2026 ---\r\n[08:30:12] bob: ann!\a\r\n",
        )

    @given(
        st.lists(st.tuples(st.sampled_from(["ann", "bob", "carol"]), st.text("an b!\u0301", max_size=8)), min_size=1)
    )
    def test_any_page(self, said: list[tuple[str, str]]) -> None:
        """It is the page made of what is not ignored, but for the bells."""
        kept = [event(text, who=who) for who, text in said if who != "carol"]
        shown = self.personal(*(event(text, who=who) for who, text in said), ignored="carol", ring_for="ann")
        self.assertEqual(shown.replace("\a", ""), UTC.page(kept).data.decode() if kept else "")

    def test_memory(self) -> None:
        """A page that is kept after somebody has read it with a bell on takes no more than before."""
        kept = []
        sizes = []
        tracemalloc.start()
        try:
            for _ in range(2 * INDEXED_PAGES):
                all_words = map("".join, product(string.ascii_lowercase, repeat=3))
                kept.append(UTC.page([event(" ".join(islice(all_words, 1000)))]))
                personal(kept[-1], ignored={"x"}, ring_for="ann")
                sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        self.assertLess(sizes[-1] - sizes[INDEXED_PAGES], INDEXED_PAGES * 20_000)


class SizeTests(SynchronousTestCase):
    def test_cut(self) -> None:
        """A page holds what fits, from its first event on; one event always fits."""
        events = [event("x" * 1000, at=HALF_PAST_EIGHT + number) for number in range(10)]
        self.assertEqual(UTC.page(events, 3500).events, events[:3])
        self.assertEqual(UTC.page(events, 1).events, events[:1])


class AsideTests(SynchronousTestCase):
    def test_harmless(self) -> None:
        """What one reader alone is told is one harmless line."""
        self.assertEqual(aside("a\r\nb\x1b"), "*** a␍␊b␛\r\n".encode())
