from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import now
from tests.test_session import FORMAT, SessionTestCase
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.records import Change

if TYPE_CHECKING:
    from twistedchat.people.base import People
    from twistedchat.session import Session


class RulerTestCase(SessionTestCase):
    """Ann has made #den and is its op; Bob is in it, and Eve is somewhere else."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, "den")
        self.ears = {"bob": Ear(), "eve": Ear()}
        self.bob = self.enter("bob", self.ears["bob"])
        self.eve = self.enter("eve", self.ears["eve"])
        self.join(self.bob, "den")

    def mode(self, session: Session, *changes: str, room: str = "den") -> list[str]:
        """What was made of ``+m``, ``+o bob`` and the like, and the codes of what was refused."""
        parsed = [Change(words[0], words[1], words[3:]) for words in changes]
        amended = now(session.mode(room, parsed))
        return [" ".join(filter(None, (a + b, c))) for a, b, c in amended.made] + [e.code for _, e in amended.refused]

    def ranks(self, room: str = "den") -> dict[str, str]:
        live = self.hub.rooms.find(room)
        assert live is not None
        return live.charter.ranks

    def speak(self, session: Session, text: str = "hi", kind: Kind = Kind.SAY) -> str:
        """The code of the refusal, or ""."""
        ear = Ear()
        try:
            session.say("den", text, ear, kind=kind)
        except Exception as error:
            return str(getattr(error, "code", error))
        self.clock.advance(1)
        self.assertEqual(len(ear.heard), 1)
        return ""


class ComingTests(RulerTestCase):
    def test_who_makes_a_room(self) -> None:
        """Whoever makes a room is its op; nobody makes #lobby, nor a room in which something was said."""
        self.assertEqual(self.ranks(), {"ann": "o"})
        for room in ("lobby", "old"):
            self.join(self.ann, room)
            self.assertEqual(self.ranks(room), {})

    def test_rank_ends_at_leaving(self) -> None:
        """A rank ends with leaving: entering again gives none, not even to the only one who is there."""
        self.mode(self.ann, "+v bob")
        self.bob.leave("den")
        self.join(self.bob, "den")
        self.assertEqual(self.ranks(), {"ann": "o"})
        self.ann.say("den", "hi", self.ear)
        self.clock.advance(0)
        self.bob.leave("den")
        self.ann.leave("den")
        self.join(self.ann, "den")
        self.assertEqual(self.ranks(), {})

    def test_rank_stays_while_lost(self) -> None:
        """Somebody whose connection is lost keeps the rank until the session ends."""
        self.ann.lose()
        self.assertEqual(self.ranks(), {"ann": "o"})
        self.clock.advance(61)
        self.assertEqual(self.ranks(), {})

    def test_rename(self) -> None:
        """A rank goes along with a new name."""
        now(self.ann.rename("anna"))
        self.assertEqual(self.ranks(), {"anna": "o"})

    def test_heir(self) -> None:
        """When the last op leaves a room with rules, whoever has been there longest can lift them."""
        self.join(self.eve, "den")
        self.bob.leave("den")
        self.join(self.bob, "den")
        self.mode(self.ann, "+m")
        self.ann.leave("den")
        self.assertEqual(self.ranks(), {"eve": "o"})

    def test_heir_is_here(self) -> None:
        """Of those who have been there longest one whose connection stands is taken."""
        zoe = self.enter("zoe", resumable=True)
        self.bob.leave("den")
        for session in (zoe, self.bob):
            self.join(session, "den")
        self.mode(self.ann, "+m")
        zoe.lose()
        self.ann.leave("den")
        self.assertEqual(self.ranks(), {"bob": "o"})

    def test_no_heir(self) -> None:
        """With the rules of a new room nobody need have a rank; nor while there is another op."""
        self.mode(self.ann, "+o bob", "+m", "-m")
        self.ann.leave("den")
        self.assertEqual(self.ranks(), {"bob": "o"})
        self.join(self.ann, "den")
        self.bob.leave("den")
        self.assertEqual(self.ranks(), {})

    def test_another_op(self) -> None:
        """While there is another op, nobody else becomes one."""
        self.join(self.eve, "den")
        self.mode(self.ann, "+o eve", "+m")
        self.ann.leave("den")
        self.assertEqual(self.ranks(), {"eve": "o"})

    def test_all_ends(self) -> None:
        """With the last member all rules end."""
        self.mode(self.ann, "+m", "+l 1", "+b eve")
        self.ann.say("den", "hi", self.ear)
        self.bob.leave("den")
        self.ann.leave("den")
        self.join(self.eve, "den")
        self.assertEqual(self.speak(self.eve), "")
        self.assertEqual((self.eve.rules("den").flags, self.eve.rules("den").limit), ("n", 0))


class ModeTests(RulerTestCase):
    def test_changes(self) -> None:
        """What is changed is given back as it is to be told; what was so already is left out."""
        self.assertEqual(self.mode(self.ann, "+v b0b", "+m", "+m", "-k", "+b eve"), ["+v bob", "+m", "+b eve!*@*"])
        self.assertEqual(self.ranks(), {"ann": "o", "bob": "v"})

    def test_refused_changes(self) -> None:
        """What can't be done is told for each, and the others are done."""
        made = self.mode(self.ann, "+o eve", "+o nobody", "+x", "+m", "+k a,b", "+o a b")
        self.assertEqual(made, ["+m", "not-member", "not-here", "bad-name", "bad-mode", "bad-key"])

    def test_only_ops(self) -> None:
        """Only an op of the room may do it; one with voice is none."""
        self.mode(self.ann, "+v bob")
        self.assertEqual(self.refusal(self.bob.mode("den", [Change("+", "m")])), "not-op")
        self.assertEqual(self.refusal(self.eve.mode("den", [Change("+", "m")])), "not-in-room")
        self.assertEqual(self.refusal(self.eve.mode("nowhere", [Change("+", "m")])), "no-such-room")
        self.mode(self.ann, "+s")
        self.assertEqual(self.refusal(self.eve.mode("den", [Change("+", "m")])), "no-such-room")

    def test_rules(self) -> None:
        """Anybody may look at the rules of a room; the key is told to members alone, and a hidden room to no others."""
        self.mode(self.ann, "+k tea", "+l 5", "+b eve")
        for session, key, rank in ((self.ann, "tea", "o"), (self.bob, "tea", ""), (self.eve, "*", "")):
            rules = session.rules("DEN")
            self.assertEqual((rules.room, rules.flags, rules.key, rules.limit, rules.rank), ("den", "n", key, 5, rank))
            self.assertEqual({letter: list(masks) for letter, masks in rules.masks.items()}, {"b": ["eve!*@*"]})
        self.mode(self.ann, "+s")
        self.assertEqual(self.refusal(lambda: self.eve.rules("den")), "no-such-room")
        self.assertEqual(self.bob.rules("den").flags, "ns")


class EnteringTests(RulerTestCase):
    def entering(self, key: str = "") -> str:
        """The code with which Eve is refused; "" if she comes in, and has left again."""
        try:
            now(self.eve.join("den", FORMAT, key=key))
        except Exception as error:
            return str(getattr(error, "code", error))
        self.eve.leave("den")
        return ""

    def test_key(self) -> None:
        """Whoever enters must give the key, if there is one."""
        self.assertEqual(self.entering("whatever"), "")
        self.mode(self.ann, "+k tea")
        self.assertEqual([self.entering(key) for key in ("", "Tea", "tea")], ["wrong-key", "wrong-key", ""])

    def test_limit(self) -> None:
        """Nobody comes in while as many people are in the room as its limit says."""
        self.mode(self.ann, "+l 2")
        self.assertEqual(self.entering(), "room-full")
        self.mode(self.ann, "+l 3")
        self.assertEqual(self.entering(), "")

    def test_banned(self) -> None:
        """Nobody comes in who is banned, unless excepted."""
        self.mode(self.ann, "+b *!*@*")
        self.assertEqual(self.entering(), "banned")
        self.mode(self.ann, "+e eve")
        self.assertEqual(self.entering(), "")

    def test_invitation(self) -> None:
        """An invitation passes every rule, once."""
        self.mode(self.ann, "+i", "+k tea", "+l 1", "+b eve")
        self.assertNotEqual(self.entering(), "")
        self.assertEqual(now(self.ann.invite("EVE", "den")), "eve")
        self.assertEqual(self.ears["eve"].heard, ["ann invites to den"])
        self.assertEqual((self.entering(), self.entering()), ("", "banned"))

    def test_invited_by_mask(self) -> None:
        """A mask of invitations passes ``i``, again and again, and no other rule."""
        self.mode(self.ann, "+i")
        self.assertEqual(self.entering(), "invite-only")
        self.mode(self.ann, "+I eve")
        self.assertEqual([self.entering(), self.entering()], ["", ""])
        self.mode(self.ann, "+k tea")
        self.assertEqual(self.entering(), "wrong-key")

    def test_a_member_enters_again(self) -> None:
        """Whoever is in the room sets its cursor anew whatever the rules are."""
        self.mode(self.ann, "+i", "+k tea", "+l 1", "+b bob")
        self.assertEqual(self.join(self.bob, "den").room, "den")


class InviteTests(RulerTestCase):
    def test_who_may(self) -> None:
        """Any member lets others in; while entering is by invitation only ops."""
        self.assertEqual(now(self.bob.invite("eve", "den")), "eve")
        self.mode(self.ann, "+i")
        self.assertEqual(self.refusal(self.bob.invite("eve", "den")), "not-op")
        self.assertEqual(self.refusal(self.eve.invite("eve", "den")), "not-in-room")
        self.assertEqual(self.refusal(self.ann.invite("bob", "den")), "already-member")
        self.assertEqual(self.refusal(self.ann.invite("nobody", "den")), "not-here")

    def test_lost(self) -> None:
        """Somebody whose connection is lost can't be told, and is not invited."""
        zoe = self.enter("zoe", resumable=True)
        zoe.lose()
        self.assertEqual(self.refusal(self.ann.invite("zoe", "den")), "not-here")


class SlowPeople:
    """A register that answers when the test says so, as that of many nodes does."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.answer: Deferred[None] = Deferred()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._people, name)

    async def find(self, name: str) -> Any:
        await self.answer
        return await self._people.find(name)


class SlowTests(RulerTestCase):
    def test_rank_lost_meanwhile(self) -> None:
        """Whoever is no op any more when it is known who is meant does nothing."""
        self.mode(self.ann, "+o bob", "+i")
        people = SlowPeople(self.hub.people)
        self.hub.people = cast("People", people)
        asked = [
            Deferred.fromCoroutine(ask)
            for ask in (
                self.ann.kick("den", "bob"),
                self.ann.invite("eve", "den"),
                self.ann.mode("den", [Change("-", "o", "bob")]),
            )
        ]
        self.mode(self.bob, "-i", "+m")
        live = self.hub.rooms.find("den")
        assert live is not None
        live.charter.apply(Change("-", "o", "ann"))
        live.charter.apply(Change("+", "i"))
        people.answer.callback(None)
        for each in asked:
            self.assertEqual(self.failureResultOf(each, ChatError).value.code, "not-op")
        self.assertEqual((self.ranks(), list(self.ann.roster("den").names)), ({"bob": "o"}, ["ann", "bob"]))

    def test_connection_lost_meanwhile(self) -> None:
        """Nothing is done for a connection that is lost meanwhile."""
        people = SlowPeople(self.hub.people)
        self.hub.people = cast("People", people)
        kicking = Deferred.fromCoroutine(self.ann.kick("den", "bob"))
        self.ann.lose()
        people.answer.callback(None)
        self.failureResultOf(kicking, ChatError)
        self.assertEqual(self.bob.roster("den").count, 2)


class KickTests(RulerTestCase):
    def test_kick(self) -> None:
        """An op removes somebody, who is told by whom and why, and may come again."""
        self.assertEqual(now(self.ann.kick("den", "BOB", "spam")), "bob")
        self.assertEqual(self.ears["bob"].heard[-1], "ann removes from den: spam")
        self.assertEqual((list(self.bob.rooms), list(self.ann.roster("den").names)), ([], ["ann"]))
        self.assertEqual(self.speak(self.bob), "not-in-room")
        self.join(self.bob, "den")

    def test_who_may(self) -> None:
        """Only an op removes people, and only those who are there."""
        self.assertEqual(self.refusal(self.bob.kick("den", "ann")), "not-op")
        self.assertEqual(self.refusal(self.eve.kick("den", "ann")), "not-in-room")
        self.assertEqual(self.refusal(self.ann.kick("den", "eve")), "not-member")
        self.assertEqual(self.refusal(self.ann.kick("den", "nobody")), "not-here")

    def test_others_are_told(self) -> None:
        """Others are told by whom and why, and no more of the why than is reasonable."""
        self.clock.advance(1)
        now(self.ann.kick("den", "bob", "é" * 300))
        self.clock.advance(1)
        self.assertIn('"left":["bob"]', self.ear.heard[-1])
        self.assertEqual(self.ears["bob"].heard[-1], "ann removes from den: " + "é" * 100)


class SpeakingTests(RulerTestCase):
    def test_muted(self) -> None:
        """In a room with ``m`` only those with a rank speak, in every way of speaking."""
        self.mode(self.ann, "+m")
        for kind in (Kind.SAY, Kind.ME, Kind.NOTICE, Kind.TOPIC):
            self.assertEqual(self.speak(self.bob, kind=kind), "muted")
            self.assertEqual(self.speak(self.ann, kind=kind), "")
        self.mode(self.ann, "+v bob")
        self.assertEqual(self.speak(self.bob), "")

    def test_banned(self) -> None:
        """A banned member who has no rank may not speak."""
        self.mode(self.ann, "+b bob")
        self.assertEqual(self.speak(self.bob), "banned")
        self.mode(self.ann, "+v bob")
        self.assertEqual(self.speak(self.bob), "")
        self.mode(self.ann, "-v bob", "-b bob")
        self.assertEqual(self.speak(self.bob), "")

    def test_topic(self) -> None:
        """With ``t`` only ops set the topic; voice does not help."""
        self.mode(self.ann, "+t", "+v bob")
        self.assertEqual(self.speak(self.bob, kind=Kind.TOPIC), "not-op")
        self.assertEqual((self.speak(self.bob), self.speak(self.ann, kind=Kind.TOPIC)), ("", ""))

    def test_from_outside(self) -> None:
        """Without ``n`` others speak too, see no answer but the receipt, and can't set the topic."""
        self.assertEqual(self.speak(self.eve), "not-in-room")
        self.mode(self.ann, "-n")
        self.assertEqual(self.speak(self.eve, "from outside"), "")
        self.assertIn("shown from outside", self.ear.heard)
        self.assertNotIn("shown from outside", self.ears["eve"].heard)
        self.assertEqual(self.speak(self.eve, kind=Kind.TOPIC), "not-in-room")
        self.mode(self.ann, "+m")
        self.assertEqual(self.speak(self.eve), "muted")
        self.mode(self.ann, "-m", "+b eve")
        self.assertEqual(self.speak(self.eve), "banned")


class ReadingTests(RulerTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann.say("den", "a word", self.ear)
        self.clock.advance(0)

    def reading(self, session: Session) -> str:
        try:
            return now(session.history("den", limit=9)).events[0].text
        except Exception as error:
            return str(getattr(error, "code", error))

    def test_closed(self) -> None:
        """The log of a closed room is its members', until an op opens it; so it is for those who are banned."""
        self.assertEqual(self.reading(self.eve), "a word")
        for close, code, open_ in (
            ("+i", "not-in-room", "-i"),
            ("+k tea", "not-in-room", "-k"),
            ("+s", "no-such-room", "-s"),
            ("+b eve", "banned", "-b eve"),
        ):
            self.mode(self.ann, close)
            self.assertEqual((self.reading(self.eve), self.reading(self.bob)), (code, "a word"), close)
            self.mode(self.ann, open_)
            self.assertEqual(self.reading(self.eve), "a word")

    def test_hidden(self) -> None:
        """A hidden room is for others as if it were not there; its members see it."""
        self.mode(self.ann, "+s")
        self.assertEqual(self.refusal(self.eve.who("den")), "no-such-room")
        self.assertEqual((self.eve.roster("den").count, self.bob.roster("den").count), (0, 2))
        for session, rooms in ((self.eve, ["old"]), (self.bob, ["den", "old"])):
            self.assertEqual([room.name for room in now(session.list_rooms(max_chars=999))], rooms)
            self.assertEqual(sorted(room.name for room in now(session.busiest_rooms(limit=9))), rooms)
        self.mode(self.ann, "-s")
        self.assertEqual(now(self.eve.who("den")).count, 2)

    def test_hidden_rooms_end_no_list(self) -> None:
        """Hidden rooms in between do not end the list, however many there are."""
        for number in range(100):
            self.join(self.bob if number < 90 else self.eve, f"b{number:02}")
            if number < 90:
                self.mode(self.bob, "+s", room=f"b{number:02}")
        listed = [room.name for room in now(self.ann.list_rooms(max_chars=9999))]
        self.assertEqual(listed, [f"b{number}" for number in range(90, 100)] + ["den", "old"])
