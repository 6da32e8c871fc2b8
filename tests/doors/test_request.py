from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.doors.request import MAX_ID_LENGTH, Request
from twistedchat.errors import ChatError
from twistedchat.formats.jsonl import to_line
from twistedchat.verbs import OPS

if TYPE_CHECKING:
    from collections.abc import Callable

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
FIELDS = st.sampled_from(["id", "op", "name", "room", "text", "key", "after", "limit", "tags", "kind"])
OBJECTS = st.builds(
    lambda fields, op: fields | {"op": op}, st.dictionaries(FIELDS | st.text(), VALUES), st.sampled_from(sorted(OPS))
)


def use(line: bytes) -> None:
    """Do with a line what a door does: read the fields that its op needs, and answer with the id."""
    request = Request(line)
    to_line({"re": request.id})
    op = request.text("op")
    for value in request.fields(op) if op in OPS else ():
        if isinstance(value, str):
            value.encode()
        else:
            assert value is None or -1 < value < 2**63


class AnythingTests(SynchronousTestCase):
    def check(self, line: bytes) -> None:
        """It can be used, or is refused."""
        try:
            use(line)
        except ChatError as error:
            self.assertIn(error.code, ("bad-json", "bad-request", "bad-tags"))

    @given(st.binary())
    def test_bytes(self, line: bytes) -> None:
        """Any bytes are a request or a `ChatError`, and nothing else."""
        self.check(line)

    @given(OBJECTS, st.booleans())
    def test_objects(self, fields: dict[str, object], escaped: bool) -> None:
        """So is any object, half characters, endless numbers and all."""
        self.check(json.dumps(fields, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))

    @given(OBJECTS, st.integers(0, 200), st.binary(max_size=4))
    def test_broken_objects(self, fields: dict[str, object], place: int, garbage: bytes) -> None:
        """So is any object with something else in its middle."""
        line = json.dumps(fields).encode()
        self.check(line[:place] + garbage + line[place + len(garbage) :])

    def test_hostile(self) -> None:
        """What brings a parser to its limits is refused as no JSON."""
        for line in [
            b'{"x":' + b"[" * 30_000,
            b'{"x":' + b"[" * 15_000 + b"]" * 15_000 + b"}",
            b'{"x":' + b"1" * 30_000 + b"}",
            b'{"x":NaN}',
            b'{"x":-Infinity}',
            b'{"op":"\\ud800"}',
            b'{"x":{"\\udfff\\ud800":1}}',
            b'{"op":"\xed\xa0\x80"}',
            b"\xef\xbb\xbf{}",
            b"[1]",
            b"null",
            b"",
        ]:
            self.assertEqual(self.assertRaises(ChatError, Request, line).code, "bad-json", line[:40])


class FieldTests(SynchronousTestCase):
    def refusal(self, read: Callable[..., object], *args: object) -> str:
        """The code of the error that reading raises."""
        return str(self.assertRaises(ChatError, read, *args).code)

    def test_text(self) -> None:
        """A string is a string, whole pairs of escapes included; nothing else is."""
        request = Request(b'{"a":"\\ud83d\\ude00 \\\\ud800","b":1,"c":null}')
        self.assertEqual(request.text("a"), "😀 \\ud800")
        self.assertEqual([self.refusal(request.text, name) for name in "bcd"], ["bad-request"] * 3)

    def test_order(self) -> None:
        """The fields of an op come in the order of the table, whatever the object's, and others are passed over."""
        request = Request(b'{"limit":5,"x":[],"after":3,"room":"py","before":9}')
        self.assertEqual(request.fields("history"), ("py", 9, 3, 5))
        self.assertEqual((request.fields("leave"), request.fields("ping")), (("py",), ()))

    def test_optional(self) -> None:
        """What may be left out may be null too; what is there must be of its type; the rest must be there."""
        self.assertEqual(Request(b'{"room":"py","text":"x","key":"k"}').fields("say"), ("py", "x", "k", None))
        self.assertEqual(Request(b'{"room":"py","text":"x","key":null}').fields("say"), ("py", "x", None, None))
        self.assertEqual(Request(b'{"room":"py","text":"x"}').fields("say"), ("py", "x", None, None))
        for wrong in ['"room":"py"', '"room":"py","text":null', '"room":"py","text":"x","key":1']:
            self.assertEqual(self.refusal(Request(f"{{{wrong}}}".encode()).fields, "say"), "bad-request", wrong)

    def test_tags(self) -> None:
        """Tags are an object of strings, and come as IRC writes them."""
        request = Request(b'{"room":"py","text":"x","tags":{"+a/b":"c;d","+e":""}}')
        for op in ("say", "me", "notice"):
            self.assertEqual(request.fields(op), ("py", "x", None, r"+a/b=c\:d;+e"))
        self.assertEqual(Request(b'{"room":"py","text":"x","tags":{}}').fields("say")[3], "")
        self.assertEqual(request.fields("topic"), ("py", "x", None))
        for wrong in ['{"a":"b"}', '{"+a":1}', '"+a=b"', "7", "[]"]:
            refused = Request(f'{{"room":"py","text":"x","tags":{wrong}}}'.encode())
            self.assertEqual(self.refusal(refused.fields, "say"), "bad-tags", wrong)

    def test_kind(self) -> None:
        """A private line is said, done or a notice."""
        for right in ("say", "me", "notice"):
            fields = Request(f'{{"to":"bob","text":"x","kind":"{right}"}}'.encode()).fields("tell")
            self.assertEqual(fields, ("bob", "x", right))
        for wrong in ('"topic"', '"SAY"', "1", "[]", "{}", '""'):
            refused = Request(f'{{"to":"bob","text":"x","kind":{wrong}}}'.encode())
            self.assertEqual(self.refusal(refused.fields, "tell"), "bad-request", wrong)

    def test_seq(self) -> None:
        """A seq is a whole number from 0 that the store can hold, and a limit one from 1."""
        for right in ["0", "9223372036854775807", "null"]:
            fields = Request(f'{{"room":"py","after":{right}}}'.encode()).fields("join")
            self.assertEqual(fields, ("py", json.loads(right), None))
        for wrong in ["-1", "9223372036854775808", "1.0", "true", '"1"', "[1]", "1e3"]:
            request = Request(f'{{"room":"py","after":{wrong}}}'.encode())
            self.assertEqual(self.refusal(request.fields, "join"), "bad-request", wrong)
        self.assertEqual(self.refusal(Request(b'{"room":"py","limit":0}').fields, "history"), "bad-request")

    def test_id(self) -> None:
        """An id is a number or a short text, and comes back as it was; null is none."""
        for right in ["1", "-7", "1.5", '"abc"', '""', f'"{"x" * MAX_ID_LENGTH}"', "null"]:
            self.assertEqual(Request(f'{{"id":{right}}}'.encode()).id, json.loads(right))
        for wrong in ["true", "[]", "{}", "1e999", "9223372036854775808", f'"{"x" * (MAX_ID_LENGTH + 1)}"']:
            self.assertEqual(self.refusal(Request, f'{{"id":{wrong}}}'.encode()), "bad-request")
