from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.errors import ChatError
from twistedchat.formats.jsonl import to_line
from twistedchat.protocols.request import MAX_ID_LENGTH, Request

if TYPE_CHECKING:
    from collections.abc import Callable

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
FIELDS = st.sampled_from(["id", "op", "name", "room", "text", "key", "after", "limit"])
OBJECTS = st.dictionaries(FIELDS | st.text(), VALUES)


def use(line: bytes) -> None:
    """Do with a line what a protocol does: read the fields that it needs, and answer with the id."""
    request = Request(line)
    to_line({"re": request.id})
    for field in ("op", "room", "text"):
        request.text(field).encode()
    (request.optional_text("key") or "").encode()
    assert -1 < (request.seq("after") or 0) < 2**63


class AnythingTests(SynchronousTestCase):
    def check(self, line: bytes) -> None:
        """It can be used, or is refused."""
        try:
            use(line)
        except ChatError as error:
            self.assertIn(error.code, ("bad-json", "bad-request"))

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

    def test_optional_text(self) -> None:
        """What may be left out may be null too."""
        request = Request(b'{"a":"x","b":1,"c":null}')
        self.assertEqual([request.optional_text(name) for name in "acd"], ["x", None, None])
        self.assertEqual(self.refusal(request.optional_text, "b"), "bad-request")

    def test_seq(self) -> None:
        """A seq is a whole number that the store can hold."""
        request = Request(b'{"a":0,"b":9223372036854775807,"c":null}')
        self.assertEqual([request.seq(name) for name in "abcd"], [0, 2**63 - 1, None, None])
        for wrong in ["-1", "9223372036854775808", "1.0", "true", '"1"', "[1]", "1e3"]:
            request = Request(f'{{"a":{wrong}}}'.encode())
            self.assertEqual(self.refusal(request.seq, "a"), "bad-request", wrong)

    def test_id(self) -> None:
        """An id is a number or a short text, and comes back as it was; null is none."""
        for right in ["1", "-7", "1.5", '"abc"', '""', f'"{"x" * MAX_ID_LENGTH}"', "null"]:
            self.assertEqual(Request(f'{{"id":{right}}}'.encode()).id, json.loads(right))
        for wrong in ["true", "[]", "{}", "1e999", "9223372036854775808", f'"{"x" * (MAX_ID_LENGTH + 1)}"']:
            self.assertEqual(self.refusal(Request, f'{{"id":{wrong}}}'.encode()), "bad-request")
