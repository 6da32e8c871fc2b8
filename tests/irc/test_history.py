"""``CHATHISTORY`` and ``HISTORY``: what was said before, in pages that joined are the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.fakes import World
from tests.irc.client import IrcClient, come
from twistedchat.events import Kind
from twistedchat.formats.jsonl import iso
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

CAPS = ("batch", "message-tags", "draft/chathistory", "standard-replies", "labeled-response")
KINDS = (Kind.SAY, Kind.TOPIC, Kind.ME, Kind.NOTICE, Kind.SAY)


class HistoryCase(SynchronousTestCase):
    """A room with a past, and a client that asks.

    Attributes:
        log: What stands in the room's log.
    """

    caps: Sequence[str] = CAPS

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.fill("den", 12)
        self.ann = come(self.world, "ann", *self.caps, rooms=["den"])

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def fill(self, room: str, count: int, together: int = 1) -> None:
        """Something was said, a few lines in each second."""
        for number in range(0, count, together):
            lines = range(number, min(count, number + together))
            self.world.held.fill([draft(room, KINDS[line % 5], "bob", f"{room} {line}") for line in lines])
            self.world.pass_seconds(1)
        self.log = self.world.held.log[room]

    def ask(self, *words: object, client: IrcClient | None = None) -> list[str]:
        client = client or self.ann
        client.say(" ".join(["CHATHISTORY", *map(str, words)]))
        self.world.pass_seconds(0.1)
        return client.news()

    def seqs(self, *words: object, client: IrcClient | None = None) -> list[int]:
        """The seqs of the lines of an answer, which is one batch."""
        opening, *lines, closing = self.ask(*words, client=client)
        self.assertRegex(opening, r"BATCH \+\S+ chathistory #den$")
        reference = opening.partition("+")[2].partition(" ")[0]
        self.assertTrue(closing.endswith(f"BATCH -{reference}"), closing)
        for line in lines:
            self.assertTrue(line.startswith(f"@batch={reference};"), line)
        return [int(found[1]) for line in lines if (found := re.search(r"msgid=[^/]+/den/(\d+)", line))]

    def msgid(self, seq: int, room: str = "den") -> str:
        return f"msgid={self.world.store.identity}/{room}/{seq}"

    def time(self, seq: int, later: int = 0) -> str:
        return f"timestamp={iso(self.log[seq - 1].at + later)}"


class AskTests(HistoryCase):
    """Of twelve events the second and the seventh and the twelfth are topics."""

    def test_by_id(self) -> None:
        """Each question, by id; topics are left out, and the page is filled up."""
        self.assertEqual(self.seqs("LATEST", "#den", "*", 3), [9, 10, 11])
        self.assertEqual(self.seqs("LATEST", "#den", self.msgid(9), 10), [10, 11])
        self.assertEqual(self.seqs("BEFORE", "#den", self.msgid(9), 3), [5, 6, 8])
        self.assertEqual(self.seqs("AFTER", "#den", self.msgid(5), 3), [6, 8, 9])
        self.assertEqual(self.seqs("AROUND", "#den", self.msgid(5), 4), [3, 4, 5, 6])
        self.assertEqual(self.seqs("BETWEEN", "#den", self.msgid(3), self.msgid(9), 3), [4, 5, 6])
        self.assertEqual(self.seqs("BETWEEN", "#den", self.msgid(9), self.msgid(3), 3), [5, 6, 8])

    def test_by_time(self) -> None:
        """The same by time; what was said at that time is not among it."""
        self.assertEqual(self.seqs("LATEST", "#den", self.time(9), 10), [10, 11])
        self.assertEqual(self.seqs("BEFORE", "#den", self.time(9), 3), [5, 6, 8])
        self.assertEqual(self.seqs("AFTER", "#den", self.time(5), 3), [6, 8, 9])
        self.assertEqual(self.seqs("AFTER", "#den", self.time(5, -1), 3), [5, 6, 8])
        self.assertEqual(self.seqs("AROUND", "#den", self.time(5), 4), [3, 4, 5, 6])
        self.assertEqual(self.seqs("BETWEEN", "#den", self.time(3), self.time(9), 3), [4, 5, 6])
        self.assertEqual(self.seqs("BETWEEN", "#den", self.time(9), self.time(3), 3), [5, 6, 8])
        self.assertEqual(self.seqs("BETWEEN", "#den", self.time(3), self.msgid(5), 3), [4])

    def test_limits(self) -> None:
        """More than a thousand counts as a thousand; nothing to tell is an empty batch."""
        self.assertEqual(self.seqs("LATEST", "#den", "*", 5000), [1, 3, 4, 5, 6, 8, 9, 10, 11])
        self.assertEqual(self.seqs("LATEST", "#den", "*", 0), [])
        self.assertEqual(self.seqs("AFTER", "#den", self.msgid(99), 5), [])
        self.assertEqual(self.seqs("BEFORE", "#den", self.msgid(1), 5), [])

    def test_playback(self) -> None:
        """With event-playback topics are there, as such."""
        bob = come(self.world, "bob", *CAPS, "draft/event-playback", rooms=["den"])
        lines = self.ask("LATEST", "#den", "*", 3, client=bob)
        self.assertEqual([line.split(" ")[2] for line in lines[1:-1]], ["PRIVMSG", "PRIVMSG", "TOPIC"])
        self.assertIn(" TOPIC #den :den 11", lines[-2])

    def test_not_in_it(self) -> None:
        """Whoever may enter a room may read its log; its name is the one that is kept."""
        eve = come(self.world, "eve", *CAPS)
        eve.news()
        self.assertEqual(self.seqs("LATEST", "#DEN", "*", 2, client=eve), [10, 11])

    def test_closed(self) -> None:
        """Of a closed room only its members read the log."""
        op = come(self.world, "op", *CAPS, rooms=["secret"])
        op.say("MODE #secret +k word", "PRIVMSG #secret :between us")
        self.world.pass_seconds(1)
        op.news()
        eve = come(self.world, "eve", *CAPS)
        eve.news()
        for words in (("LATEST", "#secret", "*", 5), ("BEFORE", "#secret", self.msgid(9, "secret"), 5)):
            [line] = self.ask(*words, client=eve)
            self.assertIn(f"FAIL CHATHISTORY INVALID_TARGET {words[0]} #secret :", line)
            self.assertIn("between us", self.ask(*words, client=op)[1] if words[0] == "LATEST" else "between us")
        eve.say("HISTORY #secret")
        self.assertNotIn("between us", " ".join(eve.news()))

    def test_names(self) -> None:
        """Private lines are in no log: an empty batch."""
        opening, closing = self.ask("LATEST", "bob", "*", 5)
        self.assertRegex(opening, r"BATCH \+\S+ chathistory bob$")
        self.assertIn(" BATCH -", closing)

    def test_without_batches(self) -> None:
        """A client that knows no batches is told the lines as they are, and errors as those who know them."""
        eve = come(self.world, "eve", "draft/chathistory")
        eve.news()
        self.assertEqual(
            [line.partition(" ")[2] for line in self.ask("LATEST", "#den", "*", 2, client=eve)],
            ["PRIVMSG #den :den 9", "PRIVMSG #den :den 10"],
        )
        [line] = self.ask("LATEST", "#nowhere", "*", 2, client=eve)
        self.assertTrue(line.startswith(":irc.chatroom FAIL CHATHISTORY INVALID_TARGET "), line)

    def test_label(self) -> None:
        """A label stands on the batch's first line."""
        self.ann.say("@label=x7 CHATHISTORY LATEST #den * 2")
        lines = self.ann.news()
        self.assertTrue(lines[0].startswith("@label=x7 :irc.chatroom BATCH +"), lines[0])
        self.assertEqual(sum("x7" in line for line in lines), 1)

    def test_errors(self) -> None:
        """What can't be answered is told with the words that IRCv3 has for it."""
        other = "msgid=otherlog/den/3"
        for words, told in (
            (("NONSENSE", "#den", "*", 5), "INVALID_PARAMS NONSENSE"),
            (("LATEST", "#den", "*"), "INVALID_PARAMS LATEST"),
            (("BEFORE", "#den", "yesterday", 5), "INVALID_PARAMS BEFORE yesterday"),
            (("LATEST", "#nowhere", "*", 5), "INVALID_TARGET LATEST #nowhere"),
            (("BEFORE", "#den", other, 5), "MESSAGE_ERROR BEFORE #den"),
            (("BEFORE", "#den", self.msgid(3, "attic"), 5), "MESSAGE_ERROR BEFORE #den"),
        ):
            [line] = self.ask(*words)
            self.assertTrue(line.startswith(f":irc.chatroom FAIL CHATHISTORY {told} :"), line)
        self.world.held.fault = StoreError("no disk")
        [line] = self.ask("BEFORE", "#den", self.msgid(3), 5)
        self.assertIn("FAIL CHATHISTORY MESSAGE_ERROR BEFORE #den :", line)

    def test_targets(self) -> None:
        """The client's rooms in which something was said last between two times, from the first one on."""
        self.fill("attic", 3)
        self.fill("cellar", 3)
        den, attic = self.world.held.log["den"][-1].at, self.world.held.log["attic"][-1].at
        self.ann.say("JOIN #attic")
        self.ann.news()
        told = [f"CHATHISTORY TARGETS #den {iso(den)}", f"CHATHISTORY TARGETS #attic {iso(attic)}"]
        early, late = f"timestamp={iso(den - 1)}", f"timestamp={iso(attic + 1)}"
        for bounds, limit, wanted in (
            ((early, late), 10, told),
            ((late, early), 10, told[::-1]),
            ((early, late), 1, told[:1]),
            ((f"timestamp={iso(den)}", late), 10, told[1:]),
        ):
            opening, *lines, _ = self.ask("TARGETS", *bounds, limit)
            self.assertRegex(opening, r"BATCH \+\S+ draft/chathistory-targets$")
            self.assertEqual([line.partition(".chatroom ")[2] for line in lines], wanted)

    def test_to_a_slow_client(self) -> None:
        """A long answer is sent as it is taken, and whole; the client is not read meanwhile."""
        self.world.held.fill([draft("attic", Kind.SAY, "bob", "x" * 400) for _ in range(900)])
        eve = come(self.world, "eve", *CAPS, buffer_bytes=3000)
        eve.news()
        eve.stop_reading()
        eve.say("CHATHISTORY LATEST #attic * 1000", "PING after")
        self.world.pass_seconds(1)
        self.assertLess(len(eve.transport.dataBuffer), 100_000)
        eve.read_again()
        self.world.pass_seconds(10)
        news = eve.news()
        self.assertEqual(len(news), 900 + 2 + 1)
        self.assertIn("PONG", news[-1])


class LiveTests(SynchronousTestCase):
    def test_ends_where_live_begins(self) -> None:
        """Nothing that stood in an answer comes live afterwards, also to a client that is behind."""
        world = World(budget_bytes=2**12)
        self.addCleanup(world.close)
        bob = come(world, "bob", rooms=["den"])
        slow = come(world, "eve", *CAPS, rooms=["den"], buffer_bytes=500)
        slow.stop_reading()
        for number in range(1200):
            bob.say(f"PRIVMSG #den :{number} {'x' * 100}")
        world.pass_seconds(1)
        # Its next page is being read when it asks.
        world.held.holding_reads = True
        slow.read_again()
        slow.say(f"CHATHISTORY LATEST #den msgid={world.store.identity}/den/1190 20")
        world.held.holding_reads = False
        world.held.release()
        world.pass_seconds(5)
        live: list[int] = []
        told: list[int] = []
        for line in slow.news():
            found = re.search(r"msgid=[^/]+/den/(\d+)", line)
            if found and "batch=" in line:
                told.append(int(found[1]))
            elif found:
                self.assertGreater(int(found[1]), max(told, default=0))
                live.append(int(found[1]))
        self.assertEqual(live, list(range(1, 1201)))
        self.assertEqual((told, world.faults), ([], []))


class CommandTests(HistoryCase):
    caps = ()

    def history(self, words: str, client: IrcClient | None = None) -> list[str]:
        client = client or self.ann
        client.say(f"HISTORY {words}")
        self.world.pass_seconds(0.1)
        return [line.partition(" :")[2] for line in client.news()]

    def test_notices(self) -> None:
        """Without batches: notices with seqs, topics too, and how to go on."""
        *lines, last = self.history("#den 3")
        self.assertEqual([line.partition("]")[0].rpartition(" ")[2] for line in lines], ["10", "11", "12"])
        self.assertEqual(last, "*** From 10 to 12 of 12 in #den: HISTORY #den before 10 shows what was said earlier.")
        *lines, last = self.history("#DEN before 4")
        self.assertEqual((len(lines), last), (3, "*** From 1 to 3 of 12 in #den: that is all."))
        *lines, last = self.history("#den since 9")
        self.assertEqual((len(lines), last), (3, "*** From 10 to 12 of 12 in #den: that is all."))
        self.assertEqual(self.history("#den since 12"), ["*** Nothing was said in #den since then."])
        self.assertEqual(self.history("#den before 1"), ["*** Nothing was said in #den before that."])

    def test_by_hand(self) -> None:
        """The whole log is read by following what is told."""
        self.fill("attic", 1200, together=100)
        words, seen = "#attic since 0", list[int]()
        while True:
            *lines, last = self.history(words)
            seen += [int(line.partition("]")[0].rpartition(" ")[2]) for line in lines]
            found = re.search(r"HISTORY (#attic since \d+)", last)
            if not found:
                break
            words = found[1]
        self.assertEqual(seen, list(range(1, 1201)))

    def test_time(self) -> None:
        """Since a time of day."""
        at = self.log[6].at
        hour = iso(at)[11:19]
        self.patch(self.world.hub, "wall", self.world.wall)
        lines = self.history(f"#den since {hour}")
        self.assertTrue(lines[-1].startswith("*** From"), lines)

    def test_batch(self) -> None:
        """With batches: one batch, and how to go on."""
        bob = come(self.world, "bob", "batch", rooms=["den"])
        bob.say("HISTORY #den 4")
        news = bob.news()
        self.assertRegex(news[0], r"BATCH \+\S+ chathistory #den$")
        self.assertIn("HISTORY #den before 9", news[-1])

    def test_errors(self) -> None:
        """What is no question, and rooms that there are not."""
        for words in ("#den 0", "#den yesterday", "#den since noon", "#den since 25:00"):
            self.assertIn("It is: HISTORY #room 50", self.history(words)[-1])
        self.ann.say("HISTORY #nowhere")
        self.assertIn(" 403 ", self.ann.news()[0])


class PagesTests(SynchronousTestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=12),
        st.integers(1, 5),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
    def test_joined(
        self, moments: list[tuple[int, bool]], limit: int, by_time: bool, is_onward: bool, playback: bool
    ) -> None:
        """Whatever is asked in pages, by id or by time, onward or back: the pages joined are the log."""
        world = World()
        try:
            for count, is_topic in moments:
                kind = Kind.TOPIC if is_topic else Kind.SAY
                world.held.fill([draft("den", kind, "bob", "x") for _ in range(count)])
                world.pass_seconds(0.002)
            caps = [*CAPS, "draft/event-playback"] if playback else [*CAPS]
            ann = come(world, "ann", *caps, rooms=["den"])
            log = [event for event in world.held.log["den"] if playback or event.kind is not Kind.TOPIC]
            joined: list[int] = []
            start = "timestamp=1970-01-01T00:00:00.000Z" if by_time else f"msgid={world.store.identity}/den/0"
            bound = start if is_onward else "*"
            while True:
                word = "AFTER" if is_onward else "LATEST" if bound == "*" else "BEFORE"
                ann.say(f"CHATHISTORY {word} #den {bound} {limit}")
                page = [(found[1], int(found[2])) for line in ann.news() if (found := _LINE.search(line))]
                if not page:
                    break
                seqs = [seq for _, seq in page]
                joined = joined + seqs if is_onward else seqs + joined
                time, seq = page[-1 if is_onward else 0]
                bound = f"timestamp={time}" if by_time else f"msgid={world.store.identity}/den/{seq}"
                assert len(joined) <= len(log), joined
            self.assertEqual(joined, [event.seq for event in log])
            self.assertEqual(world.faults, [])
        finally:
            world.close()


_LINE = re.compile(r"time=([^;]+);msgid=[^/]+/den/(\d+)")
