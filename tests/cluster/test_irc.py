"""IRC clients at two nodes: one room with its ranks and rules, and a client that comes back at the other node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.people import heard, program, say, speak
from tests.cluster.stage import Stage, story
from tests.live.daemon import until

if TYPE_CHECKING:
    from tests.live.daemon import Caller, Daemon

WORD = "correct-horse"


def client(node: Daemon, name: str) -> Caller:
    """A client that is registered."""
    caller = node.caller()
    speak(caller, f"PASS {WORD}{name}", f"NICK {name}", f"USER {name} 0 * :The {name}")
    heard(caller, f" 001 {name} ")
    return caller


def in_room(stage: Stage, url: str, count: int) -> None:
    """Wait until all nodes know that so many are in the room; it takes a twentieth of a second."""
    until(lambda: stage.sql(url, "SELECT count(*) FROM chat.here WHERE room <> 'lobby'") == str(count), "it is known")


@story
def test_a_room_with_rules(stage: Stage) -> None:
    """Ranks and rules, private lines, invitations and removals are the same for clients of two nodes."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    ann, bob = client(here, "ann"), client(there, "bob")
    speak(ann, "JOIN #den")
    heard(ann, " 366 ann #den ")
    in_room(stage, url, 1)
    speak(bob, "JOIN #den")
    heard(bob, "@ann")
    heard(ann, ":bob!~bob@")
    speak(ann, "MODE #den +im")
    heard(bob, "MODE #den +im")
    speak(bob, "PRIVMSG #den :mute")
    heard(bob, " 404 bob #den ")
    speak(ann, "MODE #den +v bob")
    heard(bob, "MODE #den +v bob")
    speak(bob, "PRIVMSG #den :hello, all", "NOTICE ann :psst, ann", "WHOIS ann")
    heard(ann, "PRIVMSG #den :hello, all")
    heard(ann, "NOTICE ann :psst, ann")
    heard(bob, " 311 bob ann ~ann ")
    assert not ann.heard("mute")
    speak(ann, "KICK #den bob :enough")
    heard(bob, "KICK #den bob")
    speak(bob, "JOIN #den", "HISTORY #den")
    heard(bob, " 473 bob #den ")
    heard(bob, "closed")
    heard(ann, " PART #den")
    speak(ann, "INVITE bob #den")
    heard(bob, "INVITE bob")
    speak(bob, "PING now", "JOIN #den")
    heard(ann, ":bob!~bob@")
    speak(bob, "PRIVMSG ann :here again")
    heard(ann, "here again")


@story
def test_coming_back_at_the_other_node(stage: Stage) -> None:
    """A client whose node is killed comes back with name and word at the other one: nothing is missing."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    ann, bob = client(here, "ann"), program(there, "bob", "r")
    speak(ann, "JOIN #r")
    heard(ann, " 366 ann #r ")
    say(bob, "r", ["before 1", "before 2"])
    heard(ann, "before 2")
    in_room(stage, url, 2)
    here.kill()
    say(bob, "r", [f"meanwhile {number}" for number in range(40)])
    again = client(there, "ann")
    heard(again, "meanwhile 39")
    lines = [line.rpartition(" :")[2] for line in again.lines if " PRIVMSG #r :" in line]
    assert lines[-40:] == [f"meanwhile {number}" for number in range(40)]
