from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.irc.errors import FailError
from twistedchat.irc.selectors import MAX_EVENTS, Ask, Moment, Place, Selector, parse_selector

STAMP = "timestamp=2026-11-22T08:30:12.040Z"
MOMENT = Moment(1_795_336_212_040)
ID = "msgid=f2m8zt4q/lobby/17"
PLACE = Place("f2m8zt4q", "lobby", 17)


def parse(line: str) -> Selector:
    return parse_selector(line.split())


def failure(line: str) -> tuple[str, ...]:
    try:
        parse(line)
    except FailError as error:
        return (error.command, error.code, *error.context)
    return ()


class SelectorTests(SynchronousTestCase):
    def test_questions(self) -> None:
        """Each question has its bounds, in the order sent."""
        for line, selector in [
            (f"BEFORE #lobby {ID} 50", Selector(Ask.BEFORE, "BEFORE", "#lobby", [PLACE], 50)),
            (f"after #lobby {STAMP} 50", Selector(Ask.AFTER, "after", "#lobby", [MOMENT], 50)),
            ("LATEST #lobby * 50", Selector(Ask.LATEST, "LATEST", "#lobby", [None], 50)),
            (f"LATEST bob {STAMP} 0", Selector(Ask.LATEST, "LATEST", "bob", [MOMENT], 0)),
            (f"Around #lobby {ID} 1", Selector(Ask.AROUND, "Around", "#lobby", [PLACE], 1)),
            (f"BETWEEN #lobby {STAMP} {ID} 5", Selector(Ask.BETWEEN, "BETWEEN", "#lobby", [MOMENT, PLACE], 5)),
            (f"TARGETS {STAMP} {STAMP} 9", Selector(Ask.TARGETS, "TARGETS", "", [MOMENT, MOMENT], 9)),
        ]:
            self.assertEqual(parse(line), selector)

    def test_limit(self) -> None:
        """More than a thousand counts as a thousand."""
        for written, limit in [("999", 999), ("1000", 1000), ("1001", 1000), ("9" * 400, 1000), ("007", 7)]:
            self.assertEqual(parse(f"LATEST #lobby * {written}").limit, limit)
        self.assertEqual(MAX_EVENTS, 1000)

    def test_times(self) -> None:
        """A time may have a fraction of a second, of which milliseconds count."""
        for written, at in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:01.5Z", 1500),
            ("1970-01-01T00:00:00.123999999Z", 123),
            ("1969-12-31T23:59:59.999Z", -1),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ]:
            self.assertEqual(parse(f"BEFORE #lobby timestamp={written} 1").bounds, [Moment(at)])

    def test_invalid(self) -> None:
        """What is no question is answered with the word that was asked, and with what is wrong in it."""
        for line, answer in [
            ("", ("*",)),
            ("LAST #lobby * 5", ("LAST",)),
            ("LATEST", ("LATEST",)),
            ("latest #lobby *", ("latest",)),
            ("LATEST #lobby * 5 6", ("LATEST",)),
            (f"BETWEEN #lobby {ID} 5", ("BETWEEN",)),
            (f"TARGETS {STAMP} 5", ("TARGETS",)),
            ("BEFORE #lobby * 5", ("BEFORE", "*")),
            (f"BETWEEN #lobby * {ID} 5", ("BETWEEN", "*")),
            (f"TARGETS {ID} {STAMP} 5", ("TARGETS", ID)),
            ("BEFORE #lobby seq=5 5", ("BEFORE", "seq=5")),
            ("BEFORE #lobby 17 5", ("BEFORE", "17")),
            *[(f"LATEST #lobby * {limit}", ("LATEST", limit)) for limit in ("-1", "x", "5.0", "1_0", "٣", "+5")],
            *[
                (f"AFTER #lobby timestamp={time} 5", ("AFTER", f"timestamp={time}"))
                for time in ("", "2026-11-22", "2026-02-30T08:30:12Z", "2026-11-22T08:30:61Z", "٢٠٢٦-11-22T08:30:12Z")
            ],
        ]:
            self.assertEqual(failure(line), ("CHATHISTORY", "INVALID_PARAMS", *answer), line)

    def test_unknown_ids(self) -> None:
        """An id that no event has is no wrong parameter: there is nothing to be had by it."""
        for written in ("msgid=", "msgid=17", "msgid=run/-/x", "msgid=f2m8zt4q/lobby/17/1", "msgid=a/b/١"):
            self.assertEqual(failure(f"AFTER #lobby {written} 5"), ("CHATHISTORY", "MESSAGE_ERROR", "AFTER", "#lobby"))

    def test_place(self) -> None:
        """An id is a place in its own room and log; one beyond the last line counts as the last."""
        selector = parse(f"AFTER #lobby {ID} 5")
        self.assertEqual(selector.seq_of(PLACE, "f2m8zt4q", "lobby", 20), 17)
        self.assertEqual(selector.seq_of(PLACE, "f2m8zt4q", "lobby", 16), 16)
        for log, room in [("f2m8zt4q", "tea"), ("otherlog", "lobby")]:
            error = self.assertRaises(FailError, selector.seq_of, PLACE, log, room, 20)
            self.assertEqual((error.code, *error.context), ("MESSAGE_ERROR", "AFTER", "#lobby"))

    @given(st.lists(st.text(max_size=12) | st.sampled_from(["LATEST", "BETWEEN", "*", STAMP, ID, "5"]), max_size=6))
    def test_any(self, params: list[str]) -> None:
        """Whatever is asked, it is a question or the one error."""
        try:
            self.assertLessEqual(parse_selector(params).limit, MAX_EVENTS)
        except FailError as error:
            self.assertIn(error.code, ("INVALID_PARAMS", "MESSAGE_ERROR"))
