from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.irc.test_pieces import ANY_TEXT
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change
from twistedchat.irc.format import IrcFormat, Tags
from twistedchat.irc.message import Message, parse
from twistedchat.irc.pieces import MAX_LINES
from twistedchat.irc.said import action_of, space_for, too_long
from twistedchat.irc.shown import FORMATTING, shown
from twistedchat.text import safe

HALF_PAST_EIGHT = 1_795_336_212_040  # 22 November 2026, 08:30:12.040 UTC
TIME = "time=2026-11-22T08:30:12.040Z"
ID = "msgid=f2m8zt4q/lobby/17"
BOB = "bob!~bob@94hw0v2mqe.ip"


class Faces:
    """Everybody has been here for ever."""

    def source(self, who: str, at: int) -> str:
        return f"{who}!~{who[:10]}@94hw0v2mqe.ip" if at == HALF_PAST_EIGHT else f"{who}!~past@log"


FACES = Faces()


def way(tags: Tags = Tags.NONE, *, multiline: bool = False) -> IrcFormat:
    return IrcFormat(tags, multiline, FACES, "f2m8zt4q", "irc.chatroom")


WAYS = [way(tags, multiline=multiline) for tags in Tags for multiline in (False, True)]


def event(text: str = "hi", kind: Kind = Kind.SAY, who: str = "bob", tags: str = "") -> Event:
    return Event("lobby", 17, HALF_PAST_EIGHT, kind, who, text, tags)


def lines(shown_event: Event, form: IrcFormat | None = None) -> list[str]:
    return (form or way()).page([shown_event]).data.decode().split("\r\n")[:-1]


class KindsTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Each kind of event has its line; a notice without a name is the server's."""
        for kind, who, text, line in [
            (Kind.SAY, "bob", "hi", f":{BOB} PRIVMSG #lobby :hi"),
            (Kind.SAY, "bob", ":)", f":{BOB} PRIVMSG #lobby ::)"),
            (Kind.ME, "bob", "waves", f":{BOB} PRIVMSG #lobby :\x01ACTION waves\x01"),
            (Kind.NOTICE, "bob", "hi", f":{BOB} NOTICE #lobby :hi"),
            (Kind.NOTICE, "", "we stop", ":irc.chatroom NOTICE #lobby :we stop"),
            (Kind.TOPIC, "bob", "tea", f":{BOB} TOPIC #lobby :tea"),
            (Kind.TOPIC, "bob", "", f":{BOB} TOPIC #lobby :"),
        ]:
            self.assertEqual(lines(event(text, kind, who)), [line])

    def test_of_old(self) -> None:
        """The source is that of whoever had the name when the line was said."""
        self.assertEqual(lines(event()._replace(at=0)), [":bob!~past@log PRIVMSG #lobby :hi"])

    def test_harmless(self) -> None:
        """Formatting passes; NUL is left out, and what could harm a terminal, or be taken for CTCP, is shown."""
        (line,) = lines(event(f"\x01VERSION\x01 \x1b[2J\r\t\0{FORMATTING}\u202e\x85é"))
        self.assertEqual(line, f":{BOB} PRIVMSG #lobby :␁VERSION␁ ␛[2J␍    {FORMATTING}��é")

    def test_presence(self) -> None:
        """Coming and going is not told in pages."""
        self.assertEqual(way().presence(Change("lobby", ["bob"], [], [], 1)), b"")

    def test_pages(self) -> None:
        """A page has the events that fit, each as its own lines; one always fits."""
        events = [event("a"), event("b\nc"), event("d")]
        page = way().page(events)
        self.assertEqual([line.count(b"\n") for line in page.lines], [1, 2, 1])
        self.assertEqual(page.data, b"".join(page.lines))
        self.assertEqual(len(way().page(events, len(page.data) - 1).events), 2)
        self.assertEqual(len(way().page(events, 1).events), 1)

    def test_equal(self) -> None:
        """Clients that are shown the same share a page."""
        self.assertEqual(len({*WAYS, *[way(tags, multiline=m) for tags in Tags for m in (False, True)]}), 6)


class TagsTests(SynchronousTestCase):
    def test_tags(self) -> None:
        """The time, then the id, then what the sender sent along."""
        shown_event = event(tags=r"+x=1\s;+draft/reply=abc")
        line = f":{BOB} PRIVMSG #lobby :hi"
        self.assertEqual(lines(shown_event), [line])
        self.assertEqual(lines(shown_event, way(Tags.TIME)), [f"@{TIME} {line}"])
        self.assertEqual(lines(shown_event, way(Tags.ALL)), [rf"@{TIME};{ID};+x=1\s;+draft/reply=abc {line}"])
        self.assertEqual(lines(event(), way(Tags.ALL)), [f"@{TIME};{ID} {line}"])

    def test_for_one(self) -> None:
        """Tags for one connection stand before the others, in every way."""
        for tags, own in [(Tags.NONE, ""), (Tags.TIME, f";{TIME}"), (Tags.ALL, f";{TIME};{ID}")]:
            line = way(tags).line(event(), first="label=7", every="batch=1").decode()
            self.assertEqual(line, f"@label=7;batch=1{own} :{BOB} PRIVMSG #lobby :hi\r\n")

    def test_harmless(self) -> None:
        """What could end the tags or harm a terminal is left out of them, and they get no longer."""
        (line,) = lines(event(tags="+x=a\x1bb c\r\n\u202ed\x00;+y=\t👍🏽"), way(Tags.ALL))
        self.assertEqual(line.split(" ")[0], f"@{TIME};{ID};+x=abcd;+y=👍🏽")


class LongTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Without multiline each line is a message; the id and the sender's tags stand on the first, none is blank."""
        found = lines(event("\na\n\nb", tags="+x"), way(Tags.ALL))
        start = f":{BOB} PRIVMSG #lobby :"
        self.assertEqual(found, [f"@{TIME};{ID};+x {start}a", f"@{TIME} {start}b"])

    def test_batch(self) -> None:
        """With multiline it is one batch, blank lines and all; what was cut says so."""
        text = "x" * 600
        start = f":{BOB} PRIVMSG #lobby :"
        space = 510 - len(start)
        self.assertEqual(
            lines(event(f"a\n\n{text}", tags="+x"), way(Tags.ALL, multiline=True)),
            [
                f"@{TIME};{ID};+x :{BOB} BATCH +m17 draft/multiline #lobby",
                f"@batch=m17 {start}a",
                f"@batch=m17 {start}",
                f"@batch=m17 {start}{text[:space]}",
                f"@batch=m17;draft/multiline-concat {start}{text[space:]}",
                f":{BOB} BATCH -m17",
            ],
        )

    def test_batch_in_a_batch(self) -> None:
        """In another batch both ends bear its reference, and the lines only their own."""
        found = way(multiline=True).line(event("a\nb"), first="label=7", every="batch=1").decode().split("\r\n")
        self.assertEqual(
            [line.split(" :")[0] for line in found[:-1]],
            ["@label=7;batch=1", "@batch=m17", "@batch=m17", "@batch=1"],
        )

    def test_action(self) -> None:
        """Each line of a longer action is an action; in a batch the text as a whole is one."""
        space = space_for(BOB, Kind.ME, "#lobby")
        shown_event = event("x" * (space + 1), Kind.ME)
        for line, text in zip(lines(shown_event), ["x" * space, "x"], strict=True):
            self.assertEqual(line, f":{BOB} PRIVMSG #lobby :\x01ACTION {text}\x01")
        inner = lines(shown_event, way(multiline=True))[1:-1]
        joined = "".join(line.partition(" :")[2].partition(" :")[2] for line in inner)
        self.assertEqual(joined, f"\x01ACTION {shown_event.text}\x01")

    def test_topic(self) -> None:
        """A topic is one line; what does not fit is an ellipsis."""
        for letter in "xж日":
            (line,) = lines(event(letter * 500, Kind.TOPIC), way(multiline=True))
            self.assertRegex(line, f"TOPIC #lobby :{letter}+…$")
            self.assertIn(len(line.encode()), range(508, 511))
        self.assertEqual(lines(event("a\nb", Kind.TOPIC)), [f":{BOB} TOPIC #lobby :a␊b"])

    def test_longest_that_fits(self) -> None:
        """A text that just fits is one line in every way; of one byte more it is told how many fit."""
        for kind, source in [(Kind.SAY, BOB), (Kind.ME, BOB), (Kind.NOTICE, BOB), (Kind.TOPIC, BOB)]:
            space = space_for(source, kind, "#lobby")
            self.assertEqual(too_long(source, kind, "#lobby", "x" * space), 0)
            self.assertEqual(too_long(source, kind, "#lobby", "x" * (space + 1)), space)
            (line,) = lines(event("x" * space, kind), way(multiline=True))
            self.assertEqual(len(line), 510)
        self.assertEqual(too_long(BOB, Kind.SAY, "#lobby", "\x1b" * 200), space_for(BOB, Kind.SAY, "#lobby"))

    def test_action_of(self) -> None:
        """What is an action, and what is other CTCP."""
        for text, action in [
            ("\x01ACTION waves\x01", "waves"),
            ("\x01ACTION waves", "waves"),
            ("\x01ACTION\x01", ""),
            ("\x01ACTIONS waves\x01", None),
            ("\x01VERSION\x01", None),
            ("ACTION waves", None),
            ("", None),
        ]:
            self.assertEqual(action_of(text), action)


def said_by(messages: list[Message]) -> str:
    """The text that a client puts together of the lines it was sent."""
    text = ""
    for message in messages:
        if message.command != "BATCH":
            text += message.params[1] if "draft/multiline-concat" in message.tags else f"\n{message.params[1]}"
    return text[1:]


class AnyTests(SynchronousTestCase):
    @given(
        ANY_TEXT.map(lambda text: text * 10) | ANY_TEXT,
        st.sampled_from([*Kind]),
        st.text("aжの日", min_size=1, max_size=24),
        st.text("+xж=;\\: \n\x1b\u202e", max_size=50),
        st.sampled_from(WAYS),
    )
    @example("\n" * 4096, Kind.SAY, "の" * 24, "+" + "x" * 3999, WAYS[5])
    @example("\x1b" * 4096, Kind.ME, "の" * 24, "", WAYS[1])
    @example("x\n" * 2048, Kind.NOTICE, "の" * 24, "", WAYS[0])
    def test_whole_lines(self, text: str, kind: Kind, who: str, tags: str, form: IrcFormat) -> None:
        """Whatever is said, it is whole and harmless lines of at most 512 bytes, which give the text back."""
        room = who.replace("の", "x")
        data = form.page([Event(room, 1, HALF_PAST_EIGHT, kind, who, text, tags)]).data
        *whole, rest = data.split(b"\r\n")
        self.assertEqual(rest, b"")
        self.assertLess(len(data), 64 * 1024)
        for line in whole:
            tag_bytes, _, bare = line.partition(b" ") if line[:1] == b"@" else (b"", b"", line)
            self.assertLessEqual(len(bare), 510)
            self.assertLessEqual(len(tag_bytes), 8190)
            readable = re.sub(f"[{FORMATTING}]", "", line.decode())
            if kind is Kind.ME:
                readable = readable.replace("\x01ACTION ", "").removesuffix("\x01")
            self.assertEqual(safe(readable), readable)
        self.check_text([parse(line) for line in whole], text, kind, form)

    def check_text(self, messages: list[Message], text: str, kind: Kind, form: IrcFormat) -> None:
        parts = [shown(line) for line in text.split("\n", MAX_LINES - 1)]
        if kind is Kind.TOPIC:
            (message,) = messages
            self.assertTrue(shown(text).startswith(message.params[1].removesuffix("…")))
        elif not any(parts):
            self.assertEqual(said_by(messages), f"\x01ACTION {safe(text)}\x01" if kind is Kind.ME else safe(text))
        elif form.has_multiline:
            joined = "\n".join(parts)
            self.assertEqual(said_by(messages), f"\x01ACTION {joined}\x01" if kind is Kind.ME else joined)
        else:
            told = [message.params[1] for message in messages]
            self.assertEqual("".join(action_of(one) or one for one in told), "".join(parts))
            self.assertNotIn("", told)


class PersonalTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.events = [event(text)._replace(seq=seq) for seq, text in enumerate("abcd", 17)]

    def personal(self, form: IrcFormat, own: dict[int, str | None]) -> str:
        return form.personal(form.page(self.events), own).decode()

    def test_left_out(self) -> None:
        """Own lines are left out of a page, and the others are as they are."""
        self.assertEqual(re.findall(":(.)\r", self.personal(way(), {18: None, 20: None, 99: None})), ["a", "c"])
        self.assertEqual(self.personal(way(), dict.fromkeys(range(17, 21))), "")

    def test_labelled(self) -> None:
        """An own line that is shown bears its label, which is written so that it is read as it was sent."""
        data = self.personal(way(Tags.ALL), {18: "7;\\ "}).encode()
        labels = [parse(line).tags.get("label") for line in data.split(b"\r\n")[:-1]]
        self.assertEqual(labels, [None, "7;\\ ", None, None])

    def test_several_lines(self) -> None:
        """A labelled answer of several lines is one batch, which has the label; multiline has one already."""
        self.events = [event("a\nb")]
        found = self.personal(way(), {17: "7"}).split("\r\n")
        self.assertEqual(found[0], "@label=7 :irc.chatroom BATCH +l17 labeled-response")
        self.assertEqual(found[1], f"@batch=l17 :{BOB} PRIVMSG #lobby :a")
        self.assertEqual(found[3:], [":irc.chatroom BATCH -l17", ""])
        found = self.personal(way(multiline=True), {17: "7"}).split("\r\n")
        self.assertEqual(found[0], f"@label=7 :{BOB} BATCH +m17 draft/multiline #lobby")


class PrivateTests(SynchronousTestCase):
    def private(self, text: str, kind: Kind = Kind.SAY, form: IrcFormat | None = None, *, is_ctcp: bool = False) -> str:
        return (
            (form or way())
            .private(BOB, kind, "alice", text, at=HALF_PAST_EIGHT, id="run/-/3", tags="+x", is_ctcp=is_ctcp)
            .decode()
        )

    def test_kinds(self) -> None:
        """A private line is said, done or noticed."""
        self.assertEqual(self.private("hi"), f":{BOB} PRIVMSG alice :hi\r\n")
        self.assertEqual(self.private("waves", Kind.ME), f":{BOB} PRIVMSG alice :\x01ACTION waves\x01\r\n")
        self.assertEqual(self.private("hi", Kind.NOTICE), f":{BOB} NOTICE alice :hi\r\n")

    def test_tags(self) -> None:
        """It has a time and an id, as an event has."""
        line = self.private("hi", form=way(Tags.ALL))
        self.assertEqual(line, f"@{TIME};msgid=run/-/3;+x :{BOB} PRIVMSG alice :hi\r\n")

    def test_long(self) -> None:
        """What does not fit is cut as of an event."""
        self.assertEqual(self.private("x" * 600).count("\r\n"), 2)
        self.assertIn(" BATCH +m3 draft/multiline alice\r\n", self.private("x" * 600, form=way(multiline=True)))

    def test_ctcp(self) -> None:
        """Only where it may, a text is CTCP; inside it nothing does harm."""
        self.assertEqual(self.private("\x01PING 1\x01"), f":{BOB} PRIVMSG alice :␁PING 1␁\r\n")
        for sent, told in [("\x01PING 1\x1b\x01", "\x01PING 1␛\x01"), ("\x01PING 1", "\x01PING 1"), ("\x01", "\x01")]:
            self.assertEqual(self.private(sent, is_ctcp=True), f":{BOB} PRIVMSG alice :{told}\r\n")
