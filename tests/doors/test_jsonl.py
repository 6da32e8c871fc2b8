from __future__ import annotations

import json

import twistedchat
from tests.doors.cases import JsonTestCase
from tests.drafts import draft
from tests.fakes import JsonPeer, PlainPeer
from twistedchat.events import Kind
from twistedchat.formats.jsonl import MAX_LINE_BYTES
from twistedchat.stores.base import StoreError


class HelloTests(JsonTestCase):
    def test_first_line_too_long(self) -> None:
        """A first line that is too long is answered as what it is, a program's, and the connection closes."""
        bot = self.connect()
        bot.send(b'{"op":"hello","name":"' + b"x" * MAX_LINE_BYTES + b'"}\n{"op":"hello","name":"bot"}\n')
        self.assertEqual([message["code"] for message in bot.messages], ["too-long"])
        self.assertTrue(bot.over)

    def test_welcome(self) -> None:
        """Whoever gives a name is told it, a token of its own, and what the server is."""
        bot = self.connect()
        welcome = bot.answer(bot.ask("hello", name=" bot "))
        self.assertEqual((welcome["type"], welcome["name"], welcome["resumed"]), ("welcome", "bot", False))
        self.assertEqual((welcome["server"], welcome["version"]), ("the workshop", twistedchat.__version__))
        self.assertEqual(welcome["log"], self.world.store.identity)
        self.assertGreaterEqual(len(welcome["session"]), 20)
        self.assertNotEqual(welcome["session"], self.ann.answer(1)["session"])

    def test_refused_name(self) -> None:
        """A hello that is refused leaves the connection open for another one, and nothing else."""
        bot = self.connect()
        for fields in ({"name": "Ann"}, {"name": "a b"}, {"name": 5}, {}, {"name": "bot", "resume": 7}):
            self.assertEqual(bot.answer(bot.ask("hello", **fields))["type"], "error")
        self.assertEqual(bot.answer(bot.ask("ping"))["code"], "no-hello")
        self.assertEqual(bot.answer(bot.ask("hello", name="bot"))["type"], "welcome")

    def test_first_line(self) -> None:
        """A first line that is no hello is answered by an error, and the connection closes."""
        for line, code in [(b'{"op":"ping"}\n', "no-hello"), (b"{hello\n", "bad-json"), (b"{}\n", "bad-request")]:
            bot = self.connect()
            bot.send(line)
            self.assertEqual((bot.messages[-1]["code"], bot.over), (code, True))

    def test_hello_again(self) -> None:
        """A second hello is refused."""
        self.assertEqual(self.refusal("hello", name="amy"), "already-here")


class RoomsTests(JsonTestCase):
    logs = tuple(draft("old", Kind.SAY, "zoe", str(number)) for number in range(30))

    def test_joined(self) -> None:
        """The answer to joining comes before the last 20 events."""
        id_ = self.ann.ask("join", room="#OLD")
        answer = self.ann.answer(id_)
        joined = {"type": "joined", "re": id_, "room": "old", "seq": 30, "topic": "", "count": 1, "members": ["ann"]}
        self.assertEqual(answer, joined | {"log": self.world.store.identity})
        after = self.ann.messages[self.ann.messages.index(answer) + 1 :]
        self.assertEqual([event["seq"] for event in after], list(range(11, 31)))

    def test_after(self) -> None:
        """With `after` exactly what comes after that seq is shown; joining again sets the cursor anew."""
        for after, shown in [(27, [28, 29, 30]), (30, []), (99, []), (28, [29, 30])]:
            before = len(self.ann.events("old"))
            self.ask("join", room="old", after=after)
            self.assertEqual([event["seq"] for event in self.ann.events("old")[before:]], shown)
        for wrong in (-1, "1", 1.5, True):
            self.assertEqual(self.refusal("join", room="old", after=wrong), "bad-request")

    def test_only_joined_rooms(self) -> None:
        """A program is in no room that it has not joined, and hears nothing of one that it has left."""
        bob = self.enter("bob")
        self.ask("say", room="lobby", text="one")
        bob.ask("join", room="lobby")
        bob.ask("leave", room="lobby")
        self.ask("say", room="lobby", text="two")
        self.assertEqual([event["text"] for event in bob.events("lobby")], ["one"])

    def test_left(self) -> None:
        """Leaving is answered; what can't be left is refused."""
        self.assertEqual(self.ask("leave", room="lobby"), {"type": "ok"})
        self.assertEqual(self.refusal("leave", room="lobby"), "not-in-room")
        self.assertEqual(self.refusal("leave", room="a b"), "bad-room")
        self.assertEqual(self.refusal("leave"), "bad-request")

    def test_who(self) -> None:
        """The members are told, also of a room that one is not in."""
        self.enter("bob", "py")
        self.assertEqual(self.ask("who", room="py"), {"type": "who", "room": "py", "count": 1, "members": ["bob"]})
        self.assertEqual(self.refusal("who", room="nowhere"), "no-such-room")

    def test_rooms(self) -> None:
        """Every room is told with its members, last seq and topic."""
        self.ask("topic", room="lobby", text="tea")
        lobby = {"name": "lobby", "members": 1, "seq": 1, "topic": "tea"}
        old = {"name": "old", "members": 0, "seq": 30, "topic": ""}
        self.assertEqual(self.ask("rooms"), {"type": "rooms", "rooms": [lobby, old]})

    def test_long_lists(self) -> None:
        """A list that does not fit a line is told in parts, each asked for by the last name of the one before."""
        for number in range(15):
            self.enter(f"p{number}", *[f"a-long-room-name-{number:03}x{n:02}" for n in range(70)])
        names: list[str] = []
        more = True
        while more:
            answer = self.ask("rooms", after=names[-1] if names else None)
            names += [room["name"] for room in answer["rooms"]]
            more = answer.get("more", False)
        self.assertEqual(names, sorted(["old", *(room.name for room in self.world.hub.rooms)]))
        self.assertLess(max(map(len, self.ann.received.splitlines())), MAX_LINE_BYTES)

    def test_joined_fits_a_line(self) -> None:
        """However long the topic is when it is made harmless, the answer to joining fits a line."""
        self.ask("topic", room="lobby", text="\x01" * 4096)
        bob = self.enter("bob", "lobby")
        self.assertEqual(bob.answer(2)["topic"], "\x01" * 4096)
        self.assertLess(max(map(len, bob.received.splitlines())), MAX_LINE_BYTES)

    def test_presence(self) -> None:
        """Who comes, goes and is renamed is told, gathered."""
        bob = self.enter("bob", "lobby")
        self.enter("carol", "lobby")
        self.world.pass_seconds(1)
        told = {"type": "presence", "room": "lobby", "joined": ["bob", "carol"], "left": [], "renamed": [], "count": 3}
        self.assertEqual(self.ann.messages[-1], told)
        bob.ask("rename", name="bea")
        self.world.pass_seconds(1)
        self.assertEqual(self.ann.messages[-1]["renamed"], [["bob", "bea"]])


class SayTests(JsonTestCase):
    def test_ok_then_event(self) -> None:
        """A line is acknowledged with its seq once it is stored, and comes back as an event."""
        self.world.held.holding = True
        id_ = self.ann.ask("say", room="lobby", text="hi")
        self.assertNotIn(id_, [message.get("re") for message in self.ann.messages])
        self.world.held.release()
        self.world.run()
        self.assertEqual(self.ann.answer(id_), {"type": "ok", "re": id_, "room": "lobby", "seq": 1})
        event = {"type": "event", "room": "lobby", "seq": 1, "kind": "say", "who": "ann", "text": "hi"}
        self.assertEqual(self.ann.messages[-1], event | {"at": "2026-11-22T08:30:00.000Z"})

    def test_kinds(self) -> None:
        """Actions and topics are events of their kinds; a topic may be empty, a line not."""
        for op in ("me", "topic"):
            self.ask(op, room="lobby", text="x")
            self.assertEqual(self.ann.events("lobby")[-1]["kind"], op)
        self.assertEqual(self.ask("topic", room="lobby", text="")["type"], "ok")
        self.assertEqual(self.refusal("say", room="lobby", text=""), "empty-text")

    def test_key(self) -> None:
        """A line sent again with its key is acknowledged as the one that stands, also from another connection."""
        first = self.ask("say", room="lobby", text="hi", key="k")
        again = self.ask("say", room="lobby", text="other", key="k")
        self.assertEqual(again, first | {"again": True})
        bob = self.enter("bob", "lobby")
        self.assertTrue(bob.answer(bob.ask("say", room="lobby", text="hi", key="k"))["again"])
        self.assertEqual([event["text"] for event in self.ann.events("lobby")], ["hi"])

    def test_tags_and_notices(self) -> None:
        """Tags come back with the line, live and in the history; a notice is a line like any other."""
        bob = self.enter("bob", "lobby")
        for op in ("say", "me", "notice"):
            self.ask(op, room="lobby", text="hi", key=op, tags={"+draft/reply": "a;b", "+x": ""})
        self.ask("say", room="lobby", text="bare", tags={})
        shown = bob.events("lobby")
        self.assertEqual([event["kind"] for event in shown], ["say", "me", "notice", "say"])
        tags = {"+draft/reply": "a;b", "+x": ""}
        self.assertEqual([event.get("tags") for event in shown], [tags, tags, tags, None])
        self.assertEqual(self.ask("history", room="lobby")["events"], shown)
        self.assertEqual(self.ask("say", room="lobby", text="hi", key="say")["seq"], 1)
        self.assertEqual(self.refusal("say", room="lobby", text="hi", tags={"x": ""}), "bad-tags")

    def test_kinds_of_tells(self) -> None:
        """A private line says what it is where it is not said; what programs of IRC ask each other is not shown."""
        bob, carol = self.enter("bob"), PlainPeer(self.world)
        carol.say("carol")
        before = len(carol.lines)
        for kind, text in (("say", "a"), ("me", "b"), ("notice", "c"), ("say", "\x01VERSION\x01"), ("notice", "\x01")):
            for to in ("bob", "carol"):
                self.assertEqual(self.ask("tell", to=to, text=text, kind=kind), {"type": "ok"})
        told = [(tell["text"], tell.get("kind")) for tell in bob.messages if tell["type"] == "tell"]
        self.assertEqual(told, [("a", None), ("b", "me"), ("c", "notice")])
        self.assertEqual(
            carol.lines[before:],
            ["*** ann tells you: a", "*** ann tells you: * ann b", "*** -ann- tells you: c"],
        )

    def test_key_is_of_one_room(self) -> None:
        """The same key in another room is another line."""
        self.ask("join", room="py")
        answers = [self.ask("say", room=room, text="hi", key="k") for room in ("lobby", "py")]
        self.assertFalse([answer for answer in answers if "again" in answer])

    def test_refused(self) -> None:
        """What can't be said is answered with why."""
        wrong: list[tuple[dict[str, object], str]] = [
            ({"room": "py", "text": "x"}, "not-in-room"),
            ({"room": "lobby", "text": "x" * 4097}, "too-long"),
            ({"room": "lobby", "text": "x", "key": "k" * 65}, "bad-key"),
            ({"room": "lobby", "text": "x", "key": ""}, "bad-key"),
            ({"room": "lobby", "text": "x", "key": 1}, "bad-request"),
            ({"room": "lobby", "text": None}, "bad-request"),
            ({"text": "x"}, "bad-request"),
        ]
        for fields, code in wrong:
            self.assertEqual(self.refusal("say", **fields), code)
        self.assertEqual(self.world.held.log, {})

    def test_not_stored(self) -> None:
        """A line that the store did not take is refused, and can be sent again with its key."""
        self.world.held.fault = StoreError("The disk is full.")
        self.assertEqual(self.refusal("say", room="lobby", text="hi", key="k"), "not-stored")
        self.world.held.fault = None
        self.assertEqual(self.ask("say", room="lobby", text="hi", key="k")["seq"], 1)

    def test_kept_as_sent(self) -> None:
        """What is inside a JSON string arrives as it was sent, on one harmless line."""
        text = "a\nb\0\x1b[2J\u2028\u202e\U0001f600"
        self.ask("say", room="lobby", text=text)
        self.assertEqual(self.ann.events("lobby")[-1]["text"], text)
        self.assertTrue(self.ann.lines[-1].isprintable())

    def test_tell(self) -> None:
        """A private line reaches its receiver alone, with the time, and stands in no log."""
        bob, carol = self.enter("bob"), PlainPeer(self.world)
        carol.say("carol")
        self.assertEqual(self.ask("tell", to="b0b", text="psst"), {"type": "ok"})
        told = {"type": "tell", "who": "ann", "text": "psst", "at": "2026-11-22T08:30:00.000Z"}
        self.assertEqual(bob.messages[-1], told)
        self.ask("tell", to="carol", text="psst")
        self.assertEqual(carol.lines[-1], "*** ann tells you: psst")
        self.assertEqual((self.refusal("tell", to="dan", text="x"), self.world.held.log), ("not-here", {}))

    def test_tell_to_a_full_connection(self) -> None:
        """A private line to a program that does not read is refused to its sender."""
        slow = JsonPeer(self.world, buffer_bytes=100)
        slow.ask("hello", name="slow")
        slow.stop_reading()
        slow.send(b'{"op":"rooms"}\n' * 3)
        self.assertEqual(self.refusal("tell", to="slow", text="psst"), "not-reading")

    def test_rename(self) -> None:
        """The new name is answered and used."""
        self.assertEqual(self.ask("rename", name="amy"), {"type": "ok", "name": "amy"})
        self.ask("say", room="lobby", text="hi")
        self.assertEqual(self.ann.events("lobby")[-1]["who"], "amy")
        self.enter("ann")
        self.assertEqual(self.refusal("rename", name="ANN"), "name-taken")


class HistoryTests(JsonTestCase):
    logs = (
        *[draft("old", Kind.SAY, "zoe", str(number)) for number in range(1, 601)],
        *[draft("wide", Kind.SAY, "zoe", "x" * 4000) for _ in range(20)],
    )

    def seqs(self, room: str = "old", **fields: object) -> list[int]:
        return [event["seq"] for event in self.ask("history", room=room, **fields)["events"]]

    def test_pages(self) -> None:
        """A page is the oldest after a seq, or the newest before one, or the newest; membership is not needed."""
        self.assertEqual(self.seqs(limit=2), [599, 600])
        self.assertEqual(self.seqs(after=10, limit=2), [11, 12])
        self.assertEqual(self.seqs(before=10, limit=2), [8, 9])
        self.assertEqual(self.seqs(after=10, before=12, limit=9), [11])
        self.assertEqual((self.seqs(after=600, limit=9), self.seqs(before=1, limit=9)), ([], []))
        self.assertEqual(self.seqs(after=2**63 - 1, limit=1), [])

    def test_limit(self) -> None:
        """More than 500 counts as 500, no event is lost at the line's end, and no limit is no fault."""
        for limit in (5000, None):
            seqs: list[int] = []
            while page := self.seqs(after=seqs[-1] if seqs else 0, limit=limit):
                self.assertLessEqual(len(page), 500)
                seqs += page
            self.assertEqual(seqs, list(range(1, 601)))
        self.assertEqual(self.refusal("history", room="old", limit=0), "bad-request")

    def test_long_texts(self) -> None:
        """A page that does not fit a line is cut where the next one goes on, in either direction, and says so."""
        answer = self.ask("history", room="wide", after=0, limit=20)
        self.assertTrue(answer["more"])
        self.assertEqual(next(event["seq"] for event in answer["events"]), 1)
        seqs: list[int] = []
        while page := self.seqs("wide", before=seqs[0] if seqs else None, limit=20):
            seqs = page + seqs
        self.assertEqual(seqs, list(range(1, 21)))
        self.assertLess(max(map(len, self.ann.received.splitlines())), MAX_LINE_BYTES)

    def test_answered_before_the_end(self) -> None:
        """A program that ends its input is answered what takes time, before the connection closes."""
        self.world.held.holding_reads = True
        id_ = self.ann.ask("history", room="old", limit=1)
        self.ann.end()
        self.assertFalse(self.ann.over)
        self.world.held.release()
        self.world.run()
        self.assertEqual((self.ann.answer(id_)["events"][0]["seq"], self.ann.over), (600, True))

    def test_refused(self) -> None:
        """A room that is not there, and a store that can't be read, are answered."""
        self.assertEqual(self.refusal("history", room="nowhere", limit=1), "no-such-room")
        self.world.held.fault = StoreError("The disk is on fire.")
        self.assertEqual(self.ask("history", room="old", limit=1)["type"], "error")


class BadInputTests(JsonTestCase):
    def test_not_understood(self) -> None:
        """What is not understood is an error without an id, and the connection stays."""
        for line, code in [
            (b"hello", "bad-json"),
            (b"[1]", "bad-json"),
            (b'{"op":"ping","id":NaN}', "bad-json"),
            (b'{"op":"ping","id":"\\ud800"}', "bad-json"),
            (b'{"op":"ping","x":"\xff"}', "bad-json"),
            (b'{"op":"ping","x":' + b"[" * 20_000, "bad-json"),
            (b'{"op":"ping","id":{}}', "bad-request"),
            (b'{"op":"ping","x":"' + b"y" * MAX_LINE_BYTES + b'"}', "too-long"),
        ]:
            [answer] = self.answers_to(line + b"\n")
            self.assertEqual((answer["type"], answer["code"], "re" in answer), ("error", code, False))
        self.assertEqual(self.ask("ping"), {"type": "pong"})

    def test_unknown_op(self) -> None:
        """An unknown op is answered with the known ones; unknown keys are passed over."""
        answer = self.ask("dance")
        self.assertEqual(answer["code"], "unknown-op")
        self.assertIn("history, join", answer["text"])
        self.assertEqual(self.ask("ping", to="nobody", x=[{}]), {"type": "pong"})

    def test_ids(self) -> None:
        """An id comes back as it was; without one an answer has none; blank lines are passed over."""
        for id_ in ("1", "-1.5", '"a\\u2028b"', '"\\ud83d\\ude00"'):
            [answer] = self.answers_to(b'{"op":"ping","id":%s}\n' % id_.encode())
            self.assertEqual(answer, {"type": "pong", "re": json.loads(id_)})
        self.assertEqual(self.answers_to(b'\n  \n{"op":"ping"}\r\n'), [{"type": "pong"}])

    def test_no_telnet(self) -> None:
        """A program that sends 0xFF is sent no telnet command."""
        self.answers_to(b'{"op":"ping","x":"\xff\xfd\x06"}\n')
        self.assertNotIn(b"\xff", self.ann.received)
