from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.events import MAX_TEXT_BYTES, Event, Kind
from twistedchat.formats.base import Change
from twistedchat.formats.jsonl import MAX_LINE_BYTES, JsonFormat, event_json, iso, to_line, to_list
from twistedchat.tags import MAX_TAG_BYTES, join_tags
from twistedchat.text import safe

AT = 1_795_336_212_123
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(max_codepoint=0xA0))


class LineTests(SynchronousTestCase):
    def test_time(self) -> None:
        """Times are in UTC, with milliseconds."""
        self.assertEqual([iso(AT), iso(1000)], ["2026-11-22T08:30:12.123Z", "1970-01-01T00:00:01.000Z"])

    @given(TEXTS, TEXTS)
    def test_event(self, who: str, text: str) -> None:
        """An event is one harmless line from which any JSON parser reads it as it was."""
        [shown] = JsonFormat().page([Event("lobby", 7, AT, Kind.ME, who, text)]).data.decode().splitlines()
        self.assertEqual(safe(shown), shown)
        self.assertEqual(
            json.loads(shown),
            {"type": "event", "room": "lobby", "seq": 7, "at": iso(AT), "kind": "me", "who": who, "text": text},
        )

    @given(TEXTS)
    def test_message(self, text: str) -> None:
        """Any other message likewise."""
        line = to_line({"type": "tell", "text": text}).decode()
        self.assertEqual(safe(line[:-1]) + "\n", line)
        self.assertEqual(json.loads(line), {"type": "tell", "text": text})

    def test_longest_text_fits(self) -> None:
        """The longest text fits a line, whatever it takes to make it harmless."""
        for char in ["\0", "\x85", "\u202e", "\U000e0001"]:
            text = char * (MAX_TEXT_BYTES // len(char.encode()))
            line = event_json(Event("r" * 24, 2**63 - 1, AT, Kind.SAY, "\U00010400" * 24, text))
            self.assertLess(len(line.encode()), MAX_LINE_BYTES)

    def test_tags(self) -> None:
        """Tags stand behind the text, each with its value, if there are some."""
        tags = r"+x=a\:b\s\\;+draft/reply=abc;+y"
        line = event_json(Event("lobby", 7, AT, Kind.SAY, "bob", "hi", tags))
        plain = event_json(Event("lobby", 7, AT, Kind.SAY, "bob", "hi"))
        self.assertEqual(
            json.loads(line), json.loads(plain) | {"tags": {"+x": "a;b \\", "+draft/reply": "abc", "+y": ""}}
        )
        self.assertNotIn("tags", json.loads(plain))

    @given(TEXTS)
    def test_any_tags(self, value: str) -> None:
        """Whatever stands in a tag, the line is harmless, and is read as it was."""
        line = event_json(Event("lobby", 7, AT, Kind.SAY, "bob", "hi", join_tags({"+x": value})))
        self.assertEqual(safe(line), line)
        self.assertEqual(json.loads(line)["tags"], {"+x": value})

    def test_longest_tags(self) -> None:
        """The longest tags fit the line with most texts; where they do not, the text is there without them."""
        for char, text in [("\\", "x" * 4096), ("\U000e0001", "\0" * 4096), ("x", "\U000e0001" * 1024)]:
            tags = join_tags({"+x": char})
            tags = join_tags({"+x": char * ((MAX_TAG_BYTES - 3) // (len(tags.encode()) - 3))})
            line = event_json(Event("r" * 24, 2**63 - 1, AT, Kind.SAY, "\U00010400" * 24, text, tags))
            self.assertLess(len(line.encode()), MAX_LINE_BYTES - 1000)
            self.assertEqual(json.loads(line)["text"], text)
            self.assertEqual("tags" in json.loads(line), text[0] != "\0")

    def test_page(self) -> None:
        """A page is a line for each event, in order, for whatever reader."""
        page = JsonFormat().page([Event("lobby", seq, AT, Kind.SAY, "bob", "hi") for seq in (1, 2, 3)])
        self.assertEqual([json.loads(line)["seq"] for line in page.data.splitlines()], [1, 2, 3])
        self.assertEqual((page.date, page.first_day, page.last_day), (b"", None, None))

    def test_presence(self) -> None:
        """Coming and going is one object; a parting word is for people."""
        change = Change("lobby", ("bob",), (("dave", "bye"),), (("fay", "gus"),), 9)
        self.assertEqual(
            json.loads(JsonFormat().presence(change)),
            {"type": "presence", "room": "lobby", "joined": ["bob"], "left": ["dave"], "renamed": [["fay", "gus"]]}
            | {"count": 9},
        )


class ListTests(SynchronousTestCase):
    def test_fits(self) -> None:
        """A list that fits stands there whole, to the last byte."""
        self.assertEqual(to_list(['"ann"', '"bob"'], 100), b'["ann","bob"]')
        self.assertEqual(to_list([], 100), b"[]")

    @given(st.integers(0, 50), st.integers(20, 1000), st.booleans())
    def test_too_long(self, count: int, space_bytes: int, is_newest: bool) -> None:
        """As much as fits stands there, from the end that was asked for, and it says that there is more."""
        items = [f'"{number:030}"' for number in range(count)]
        listed = to_list(reversed(items) if is_newest else items, space_bytes, is_newest=is_newest)
        self.assertLessEqual(len(listed), space_bytes)
        answer = json.loads(b'{"list":' + listed + b"}")
        kept = len(answer["list"])
        self.assertEqual([f'"{name}"' for name in answer["list"]], items[count - kept :] if is_newest else items[:kept])
        self.assertEqual(answer.get("more", False), kept < count)
