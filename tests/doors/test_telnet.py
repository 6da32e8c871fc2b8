from __future__ import annotations

import codecs
import itertools
import re
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.doors.telnet import Item, Mark, TelnetDecoder

LIMIT = 40
AYT, TIMING, TOO_LONG = Mark.ARE_YOU_THERE, Mark.TIMING, Mark.TOO_LONG
DO_TM = b"\xff\xfd\x06"
DO_BINARY = b"\xff\xfd\x00"
NOP = b"\xff\xf1"


class Heard(NamedTuple):
    items: list[Item]
    end: bytes | None
    replies: bytes


def hear(*segments: bytes, telnet: bool = True) -> Heard:
    decoder = TelnetDecoder(LIMIT)
    decoder.telnet = telnet
    items: list[Item] = []
    replies = b""
    for segment in segments:
        items += decoder.feed(segment)
        replies += decoder.replies()
    return Heard(items, decoder.end(), replies)


def bytewise(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


# What a peer without an IAC sends: the bytes, the lines, what is unfinished.
PLAIN: list[tuple[bytes, list[Item], bytes | None]] = [
    (b"", [], None),
    (b"a\nb\r\nc\r\0", [b"a", b"b", b"c"], None),
    (b"\n\r\n\r\0", [b"", b"", b""], None),
    (b"a\rb\nc", [b"a\rb"], b"c"),
    (b"a\r\r\nb\r\r\0", [b"a\r", b"b\r"], None),
    (b"a\0b\0\n", [b"a\0b\0"], None),
    (b"a\nb\r", [b"a"], b"b"),
    (b"\r", [], None),
    (b"caf\xe9\n\x80\xfe\n", [b"caf\xe9", b"\x80\xfe"], None),
    (b"x" * LIMIT + b"\r\n", [b"x" * LIMIT], None),
    (b"a\n" + b"x" * (LIMIT + 1) + b"\nb\n", [b"a", TOO_LONG, b"b"], None),
    (b"x" * 500 + b"\r\0b\n", [TOO_LONG, b"b"], None),
    (b"x" * LIMIT + b"\ry\r\nb\n", [TOO_LONG, b"b"], None),
    (b"x" * 500, [TOO_LONG], None),
    (b"x" * 500 + b"\r", [TOO_LONG], None),
]

# What a telnet peer sends: the bytes, the items, what is unfinished, the replies after DO BINARY.
TELNET: list[tuple[bytes, list[Item], bytes | None, bytes]] = [
    # What GNU telnet (inetutils 2.4) was seen to send for these lines, and for ^C, ^Z and ^\.
    (
        b"\xe6\x97\xa5\xe6\xff\xf3" + DO_TM + b"\xac \xc3\xff\xf3" + DO_TM + b" \xd1\xff\xf5" + DO_TM
        + b" \xc4\xff\xf4" + DO_TM + b" \xc3\xff\xed" + DO_TM + b"\r\n",
        [TIMING] * 5 + ["日本 Ü я ă Ú".encode()], None, b"",
    ),
    (b"\xd0\xff\xf5" + DO_TM + b"\xd0\xff\xf3" + DO_TM + b"\r\n", [TIMING, TIMING, "ЏМ".encode()], None, b""),
    (b"\xff\xf4" + DO_TM + b"after\r\n", [TIMING, b"after"], None, b""),
    (b"\xff\xed" + DO_TM + b"\xff\xf3" + DO_TM, [TIMING, TIMING], None, b""),
    # The same client after it was sent DO BINARY, and in character mode; and ``send ayt``.
    (b"\xff\xfb\x00abc\n\xe6\x9c\xac\n", [b"abc", "本".encode()], None, b""),
    (b"\xff\xfd\x01\xff\xfd\x03abc\r\0", [b"abc"], None, b"\xff\xfc\x01\xff\xfc\x03"),
    (b"Hey \xff\xf6", [AYT], b"Hey ", b""),
    # The same client with a file with CR LF for its input: it sends CR NUL LF.
    (b"y\xff\xffz\r\0\nx\r\n", [b"y\xffz", b"", b"x"], None, b""),
    # Commands inside a character of four bytes, after the character, after what is no character.
    (b"\xf0\x9f\xff\xf4\xff\xf5\n", [b"\xf0\x9f\x83\x8f"], None, b""),
    ("я".encode() + b"\xff\xf4\xff\xf5\n", ["я".encode()], None, b""),
    (b"\xff\xf4\xe9\xff\xf1\n\xff\xf3\xff\xed", [b"\xe9"], None, b""),
    # Ends of lines.
    (NOP + b"a\rb\r\r\0\r\nc\n", [b"a", b"b", b"", b"", b"c"], None, b""),
    (NOP + b"a\r" + NOP + b"\nb\r" + NOP + b"\0\n", [b"a", b"b", b""], None, b""),
    (b"a\rb\r" + NOP + b"\nc", [b"a\rb"], b"c", b""),
    (b"a\r" + NOP + b"c", [b"a"], b"c", b""),
    # Options are refused, once each; what the peer won't do is no question.
    (b"\xff\xfb\x01\xff\xfd\x01" * 9, [], None, b"\xff\xfe\x01\xff\xfc\x01"),
    (b"\xff\xfc\x01\xff\xfe\x03\xff\xfe\x00\xff\xfc\x00", [], None, b""),
    (b"\xff\xfb\xff\xff\xfd\x00", [], None, b"\xff\xfe\xff\xff\xfc\x00"),
    (DO_TM * 3, [TIMING] * 3, None, b""),
    # Editing.
    ("aé".encode() + b"\xff\xf7\xff\xf7\xff\xf7b\n", [b"b"], None, b""),
    (b"a\nbc\xff\xf8d\n", [b"a", b"d"], None, b""),
    # Subnegotiations, empty, with an escaped IAC, cut, too long.
    (b"a\xff\xfa\xff\xf0b\xff\xfa\x18\xff\xff\xf0\n\xff\xf0c\n", [b"abc"], None, b""),
    (b"a\xff\xfa" + b"\n" * 512 + b"\xff\xf0b\n", [b"ab"], None, b""),
    (b"a\xff\xfa" + b"\n" * 513 + b"in\xff\xf0it\nb\n", [TOO_LONG, b"b"], None, b""),
    (b"a\xff\xfa" + b"\xff\xfa" * 513 + b"\xff\xfb\x05\nb\n", [TOO_LONG, b"b"], None, b"\xff\xfe\x05"),
    (b"a\xff\xfa\x18", [], b"a", b""),
    # What is no command is text, and what is unknown is passed over.
    (b"\xffa\xff\n\xff\x00", [b"a"], b"\0", b""),
    (b"a\xff\xec\xff\xee\xff\xef\xff\xf0\xff\xf2\xff\xf9b\n", [b"ab"], None, b""),
    (b"a\xff", [], b"a", b""),
    (b"a\xff\xfd", [], b"a", b""),
    # Too long: an escaped IAC is one byte; what is asked meanwhile is answered.
    (b"\xff\xff" * LIMIT + b"\n", [b"\xff" * LIMIT], None, b""),
    (b"\xff\xff" * 99 + b"\xff\xf6x\r\nb\n", [TOO_LONG, AYT, b"b"], None, b""),
    (b"x" * 99 + b"\r" + NOP + b"\nb\n", [TOO_LONG, b"b"], None, b""),
]  # fmt: skip

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
MANGLED = {0x83: b"\xff\xf4", 0x8F: b"\xff\xf5", 0x9C: b"\xff\xf3", 0x9A: b"\xff\xed"}
TELNETISH = st.lists(
    st.sampled_from([
        b"\xff", b"\xff\xff", b"\xfa", b"\xf0", b"\xff\xfa", b"\xff\xf0", b"\xff\xf4", b"\xff\xf7", b"\xff\xf8",
        b"\xfb", b"\xfd", DO_TM, NOP, b"\r", b"\n", b"\0", b"\r\n", b"\r\0", "я".encode(), b"\xc3", b"\x9c",
        b"abc", b"x" * LIMIT, b"s" * 512,
    ])
    | st.binary(max_size=3),
    max_size=30,
).map(b"".join)  # fmt: skip


def as_gnu_telnet_sends(text: str) -> bytes:
    return b"".join(MANGLED[byte] + DO_TM if byte in MANGLED else bytes([byte]) for byte in text.encode()).replace(
        b"\n", b"\r\n"
    )


class TelnetDecoderTests(SynchronousTestCase):
    def check(self, data: bytes, expected: Heard) -> None:
        assert hear(data) == expected, data
        assert hear(*bytewise(data)) == expected, data
        for cut in range(1, len(data)):
            assert hear(data[:cut], data[cut:]) == expected, (data[:cut], data[cut:])

    def test_without_iac(self) -> None:
        """LF, CR LF and CR NUL end a line, a CR alone does not; nothing is sent back."""
        for data, items, end in PLAIN:
            self.check(data, Heard(items, end, b""))

    def test_telnet(self) -> None:
        """Commands leave the lines whole, and are answered after one DO BINARY."""
        for data, items, end, replies in TELNET:
            self.check(data, Heard(items, end, DO_BINARY + replies))

    def test_enter_as_a_lone_cr(self) -> None:
        """A telnet user's CR ends the line at once, not with the next byte."""
        decoder = TelnetDecoder(LIMIT)
        assert decoder.feed(NOP + b"hello\r") == [b"hello"]
        assert decoder.feed(b"\nyes\r") == [b"yes"]

    def test_heard_iac(self) -> None:
        """The first byte of a command is enough to know a telnet peer, and to ask it for binary."""
        decoder = TelnetDecoder(LIMIT)
        decoder.feed(b"\xfe")
        assert not decoder.heard_iac
        decoder.feed(b"\xff")
        assert decoder.heard_iac
        assert decoder.replies() == DO_BINARY
        assert decoder.replies() == b""

    def test_no_telnet(self) -> None:
        """With telnet off only LF and CR LF end a line, and IAC and NUL are bytes like others."""
        data = b"a\xff\xf6\r\0b\rc\r\nd\xff\xfa\n\xff\xfd"
        expected = Heard([b"a\xff\xf6\r\0b\rc", b"d\xff\xfa"], b"\xff\xfd", b"")
        for segments in ([data], bytewise(data)):
            assert hear(*segments, telnet=False) == expected

    def test_limit_changed(self) -> None:
        """A new limit holds from the next segment on, also for the line that is under way."""
        decoder = TelnetDecoder(3)
        assert decoder.feed(b"abc\nab") == [b"abc"]
        decoder.max_line_bytes = 5
        assert decoder.feed(b"cde\nabcdef") == [b"abcde", TOO_LONG]

    def test_too_long_at_once(self) -> None:
        """A line that never ends is told to be too long as soon as it is, and only once."""
        decoder = TelnetDecoder(LIMIT)
        assert decoder.feed(b"x" * LIMIT) == []
        assert decoder.feed(b"x") == [TOO_LONG]
        assert decoder.feed(b"x" * 1000) == []

    def test_flood_of_options(self) -> None:
        """However long a peer negotiates, each option is refused it once."""
        requests = b"".join(b"\xff" + verb + bytes([n]) for n in range(256) for verb in (b"\xfb", b"\xfd"))
        replies = hear(requests * 3).replies
        assert len(replies) == 3 + 3 * 510  # DO BINARY; all but WILL BINARY and DO TIMING-MARK

    @given(TELNETISH, st.lists(st.integers(0, 400), max_size=8))
    @settings(deadline=None)
    def test_any_cutting(self, data: bytes, cuts: list[int]) -> None:
        """However the bytes are cut, the items, the replies and what is unfinished are the same."""
        bounds = [0, *sorted(cuts), len(data)]
        segments = [data[a:b] for a, b in itertools.pairwise(bounds)]
        assert hear(*segments) == hear(data)
        assert hear(*bytewise(data)) == hear(data)

    @given(st.lists(st.binary() | TELNETISH))
    @settings(deadline=None)
    def test_any_garbage(self, segments: list[bytes]) -> None:
        """Whatever comes gives lines within the limit and marks; little is kept, little is sent back."""
        decoder = TelnetDecoder(LIMIT)
        for segment in segments:
            for item in decoder.feed(segment):
                assert isinstance(item, Mark) or (len(item) <= LIMIT and b"\n" not in item)
            decoder.replies()
            values = [getattr(decoder, name) for name in TelnetDecoder.__slots__]
            kept = sum(len(value) for value in values if isinstance(value, bytes))
            assert kept <= LIMIT + len(b"\r") + len(b"\xff\xfa") + 2 * 512 + 1
        assert len(decoder.end() or b"") <= LIMIT

    @given(st.lists(TEXTS, min_size=1))
    def test_mangled_text(self, texts: list[str]) -> None:
        """Any text comes through the mangling of GNU telnet as it was typed."""
        sent = b"".join(as_gnu_telnet_sends(text + "\n") for text in texts)
        decoder = TelnetDecoder(200)
        lines = [item for item in decoder.feed(sent) if item is not TIMING]
        assert lines == [text.encode() for text in texts]

    @given(st.text(st.sampled_from("aÜя本😀Μɜ")), st.integers(0, 40))
    def test_erased_character(self, text: str, erased: int) -> None:
        """IAC EC takes back whole characters."""
        sent = text.encode() + b"\xff\xf7" * erased + b"\n"
        decoder = TelnetDecoder(10_000)
        assert decoder.feed(sent) == [text[: max(0, len(text) - erased)].encode()]

    @given(st.text(), st.integers(0, 3))
    def test_command_inside_a_character(self, text: str, cut: int) -> None:
        """A command stands for a byte just where UTF-8 has begun a character and not ended it."""
        data = re.sub(rb"[\r\n\xff]", b"", text.encode("utf-8", "replace"))
        data = data[: len(data) - cut]
        begun = codecs.getincrementaldecoder("utf-8")("replace")
        inside = begun.decode(data) != data.decode("utf-8", "replace")
        decoder = TelnetDecoder(10_000)
        assert decoder.feed(data + b"\xff\xf3\n") == [data + b"\x9c" * inside]
