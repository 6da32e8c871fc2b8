"""The checker's judge, fed with histories: what is right passes, and each way of being wrong is told by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.checker.judge import Judge
from benchmarks.checker.judge.records import Event, Line

if TYPE_CHECKING:
    from benchmarks.checker.judge.names import Tenure


class Story:
    """A history that is told to a judge: ann says numbered lines in the lobby, bob reads."""

    def __init__(self) -> None:
        self.judge = Judge(survive=True)
        self.lines: dict[int, Line] = {}
        self.ann = self.welcome("ann@a", "ann")
        self.welcome("bob@b", "bob")
        self.judge.views.begins("bob@b", "lobby", 0)

    def welcome(self, connection: str, name: str, before: Tenure | None = None, now: float = 0) -> Tenure:
        names = self.judge.names
        tenure = names.welcomed(connection, name, before, now, resumed=before is not None)
        names.entered(connection, "lobby")
        return tenure

    def say(self, *numbers: int, at: str = "ann@a", keyed: bool = False, tenure: Tenure | None = None) -> None:
        for number in numbers:
            line = self.lines.setdefault(number, Line("lobby", "say", "ann", f"{number} hi", keyed=keyed))
            self.judge.lines.sent(line, at, (tenure or self.ann).number)

    def ok(self, number: int, seq: int, *, at: str = "ann@a", again: bool = False) -> None:
        self.judge.lines.stored(self.lines[number], at, "lobby", seq, again=again)

    def refuse(self, number: int, at: str = "ann@a") -> None:
        self.judge.lines.refused(self.lines[number], at)

    def show(self, seq: int, number: int | None = None, to: str = "bob@b", who: str = "ann", ms: int = 0) -> None:
        event = self.event(seq, number, who, ms)
        self.judge.lines.shown(event, to)
        self.judge.views.shown(to, event)
        self.judge.logs.saw(event, to)

    @staticmethod
    def event(seq: int, number: int | None = None, who: str = "ann", ms: int = 0) -> Event:
        return Event("lobby", seq, ms or seq, "say", who, f"{number or seq} hi")

    def rest(self, *numbers: int, first: int = 1) -> None:
        """The log is read: it has these lines."""
        owed = self.judge.lines.owed()
        rows = [self.event(seq, number) for seq, number in enumerate(numbers, first)]
        last = self.judge.logs.known("lobby")
        self.judge.logs.at_rest("lobby", rows, "SQL", first=first, last=last)
        self.judge.lines.at_rest(owed)

    @property
    def wrong(self) -> list[str]:
        return sorted(self.judge.verdict.counts)


@pytest.fixture
def story() -> Story:
    return Story()


# -- lines and logs --------------------------------------------------------------------------------


def test_a_right_history_is_right(story: Story) -> None:
    """Lines with and without keys, acknowledged, shown, read in the log, and sent again."""
    story.say(1, 2)
    story.say(3, 4, keyed=True)
    for number in (1, 2, 3):
        story.ok(number, number)
        story.show(number)
    story.say(4, at="ann2@b")
    story.ok(4, 4, at="ann2@b", again=True)
    story.show(4)
    story.rest(1, 2, 3, 4)
    story.rest(first=5)
    assert not story.wrong


def test_a_gap_and_a_repetition_are_told_apart(story: Story) -> None:
    """A connection is shown cursor + 1, and nothing else."""
    story.say(1, 2, 3)
    story.show(1)
    story.show(3)
    assert story.wrong == ["gap"]
    story.show(3)
    assert story.wrong == ["gap", "shown-again"]


def test_what_one_is_shown_another_is_shown(story: Story) -> None:
    """At a seq there is one event for everybody."""
    story.say(1, 2)
    story.show(1, 1)
    story.judge.views.begins("carol@c", "lobby", 0)
    story.show(1, 2, to="carol@c")
    assert "two-events-at-a-seq" in story.wrong


def test_plain_text_shows_less_of_an_event(story: Story) -> None:
    """What a person is shown is compared by sender, kind and mark."""
    story.say(1)
    story.judge.logs.saw(Event("lobby", 1, None, "say", "ann", "1 h␀i"), "telnet")
    story.show(1)
    assert not story.wrong
    story.judge.logs.saw(Event("lobby", 1, None, "say", "bob", "1 hi"), "telnet")
    assert story.wrong == ["two-events-at-a-seq"]


def test_time_goes_forward(story: Story) -> None:
    """An event is not earlier than the one before it, in whichever order they are seen."""
    story.say(1, 2)
    story.show(1, ms=10)
    story.show(2, ms=10)
    assert not story.wrong
    story.say(3)
    story.show(3, ms=9)
    assert story.wrong == ["time-goes-back"]


@pytest.mark.parametrize(("keyed", "kind"), [(True, "keyed-doubled"), (False, "unkeyed-doubled")])
def test_a_line_stands_once(story: Story, kind: str, *, keyed: bool) -> None:
    """A line at two places is doubled, whether it has a key or not."""
    story.say(1, keyed=keyed)
    story.show(1, 1)
    story.show(2, 1)
    assert story.wrong == [kind]


def test_nobody_says_what_was_not_sent(story: Story) -> None:
    """An event has a sender, its own name, and its own text."""
    story.show(1, 77)
    assert story.wrong == ["never-sent"]
    story.say(2, 3)
    story.show(2, who="eve")
    story.judge.logs.saw(Event("lobby", 3, 3, "say", "ann", "3 other"), "bob@b")
    assert story.wrong == ["never-sent", "text-changed", "wrong-sender"]


def test_what_was_acknowledged_stands(story: Story) -> None:
    """At rest an acknowledged line is in the log, where its sender was told."""
    story.say(1, 2)
    story.ok(1, 1)
    story.rest()
    assert story.wrong == ["acknowledged-but-lost"]
    story.ok(2, 2)
    story.show(3, 2)
    assert "promised-elsewhere" in story.wrong


def test_what_was_shown_stands(story: Story) -> None:
    """At rest the log has all that anybody was shown."""
    story.say(1, 2)
    story.show(1)
    story.show(2)
    story.rest(1)
    assert story.wrong == ["shown-but-lost"]


def test_a_log_has_no_hole(story: Story) -> None:
    """The seqs in the log are 1, 2, 3 and so on."""
    story.say(1, 3)
    story.judge.logs.at_rest("lobby", [story.event(1), story.event(3)], "SQL", last=0)
    assert story.wrong == ["hole-in-the-log"]


def test_a_refused_line_stands_nowhere(story: Story) -> None:
    """Whether it is shown first or refused first."""
    story.say(1, 2)
    story.refuse(1)
    story.show(1)
    assert story.judge.verdict.counts == {"refused-but-stands": 1}
    story.show(2)
    story.refuse(2)
    assert story.judge.verdict.counts == {"refused-but-stands": 2}


def test_a_refused_line_that_is_sent_again_may_stand(story: Story) -> None:
    """But it did not stand before."""
    story.say(1, 2, keyed=True)
    story.refuse(1)
    story.refuse(2)
    story.say(1, 2)
    story.ok(1, 1)
    story.show(1)
    assert not story.wrong
    story.ok(2, 2, again=True)
    assert story.wrong == ["refused-but-stands"]


def test_again_is_true(story: Story) -> None:
    """It is said of lines that stood before, and of no others."""
    story.say(1, keyed=True)
    story.ok(1, 1, again=True)
    assert story.wrong == ["again-wrong"]
    story.say(1, at="ann2@b")
    story.ok(1, 1, at="ann2@b")
    assert story.wrong == ["again-missing", "again-wrong"]


def test_an_answer_comes_once_and_before_the_event(story: Story) -> None:
    """The ok of a line comes before the line, and is the only one."""
    story.judge.views.begins("ann@a", "lobby", 0)
    story.say(1, 2)
    story.show(1, to="ann@a")
    assert story.wrong == ["event-before-ok"]
    story.ok(2, 2)
    story.ok(2, 2)
    assert story.wrong == ["answered-twice", "event-before-ok"]


def test_lines_of_a_connection_stand_in_its_order(story: Story) -> None:
    """Those of another one may stand between them; one that stands by another sending may stand anywhere."""
    story.say(1, 2)
    story.say(3, at="eve@b")
    story.say(4, keyed=True)
    story.say(5)
    story.say(4, at="ann2@b")
    story.rest(1, 3, 5, 4)
    assert not story.wrong
    story.rest(2, first=5)
    assert story.wrong == ["reordered"]


# -- names -----------------------------------------------------------------------------------------


def test_no_line_under_a_name_that_was_lost(story: Story) -> None:
    """Lines of one holder of a name come before those of the next."""
    later = story.welcome("eve@b", "ann")
    story.say(1, 2)
    story.say(3, at="eve@b", tenure=later)
    story.judge.names.closed("ann@a", 1, leaves=True)
    story.rest(1, 3)
    assert not story.wrong
    story.rest(2, first=3)
    assert story.wrong == ["name-after-loss"]


def test_a_name_is_at_one_connection(story: Story) -> None:
    """At rest neither two sessions nor two connections of one session have it."""
    assert not story.judge.names.doubled()
    story.welcome("ann2@b", "ann", story.ann)
    assert "ann@a (tenure 1) and ann2@b (tenure 1)" in story.judge.names.doubled()
    story.judge.names.closed("ann@a", 1, leaves=False)
    assert not story.judge.names.doubled()
    story.welcome("ann3@c", "ann")
    assert "ann2@b (tenure 1) and ann3@c (tenure 3)" in story.judge.names.doubled()


def test_a_lost_session_is_given_back(story: Story) -> None:
    """With the token, within its time, unless others want the name or the clock has jumped."""
    names = story.judge.names
    names.closed("ann@a", 10, leaves=False)
    story.welcome("ann2@b", "ann", story.ann, now=20)
    names.closed("ann2@b", 30, leaves=False)
    assert not story.wrong
    names.welcomed("ann3@c", "ann", story.ann, 100, resumed=False)
    assert not story.wrong
    names.clock_jumped(0)
    names.welcomed("ann4@c", "ann", story.ann, 40, resumed=False)
    assert not story.wrong
    bob = names.welcomed("bob2@a", "bob", None, 200, resumed=False)
    names.closed("bob2@a", 201, leaves=False)
    names.welcomed("bob3@a", "bob", bob, 202, resumed=False)
    assert story.wrong == ["not-resumed"]


def test_who_is_true_and_the_same_everywhere(story: Story) -> None:
    """Whoever is connected is listed, a lost session for a while, and nobody else."""
    names = story.judge.names
    assert not names.trouble("lobby", {"a": ["ann", "bob"], "b": ["bob", "ann"]}, 0)
    assert "lacks ['bob']" in names.trouble("lobby", {"a": ["ann"], "b": ["ann", "bob"]}, 0)
    assert "has ['eve']" in names.trouble("lobby", {"a": ["ann", "bob", "eve"]}, 0)
    names.closed("ann@a", 0, leaves=False)
    assert "lacks ['ann']" in names.trouble("lobby", {"a": ["bob"]}, 10)
    assert "don't agree on ['ann']" in names.trouble("lobby", {"a": ["bob"], "b": ["bob", "ann"]}, 60)
    assert "has ['ann']" in names.trouble("lobby", {"a": ["ann", "bob"]}, 200)
    names.closed("bob@b", 200, leaves=True)
    assert "has ['bob']" in names.trouble("lobby", {"a": ["bob"]}, 201)


def test_nobody_is_told_that_a_lost_session_has_left(story: Story) -> None:
    """Only of somebody who left a room, or for good, or was away for too long."""
    names = story.judge.names
    names.closed("ann@a", 10, leaves=False)
    names.closed("bob@b", 10, leaves=True)
    names.told_left("carol@c", "lobby", "bob", 12)
    names.told_left("carol@c", "lobby", "ann", 100)
    story.welcome("ann2@b", "ann", story.ann, now=110)
    names.left("ann2@b", "lobby", 120)
    names.entered("ann2@b", "lobby")
    names.told_left("carol@c", "lobby", "ann", 121)
    assert not story.wrong
    names.told_left("carol@c", "lobby", "ann", 140)
    assert story.wrong == ["told-to-have-left"]


def test_in_calm_times_nothing_is_late(story: Story) -> None:
    """A node that shows much later than another is told, unless the machine is busy, or the reader was."""
    prompt = story.judge.prompt

    def play(node: str, now: float, ready_since: float, lag: float = 0) -> None:
        prompt.begin(10)
        for seq in range(20):
            prompt.shown("lobby", seq, "a", 11, 0)
            prompt.shown("lobby", seq, node, now, ready_since)
        prompt.end(lag=lag)

    play("b", 11.5, 0)
    play("b", 13, 12)
    play("b", 13, 0, lag=0.5)
    assert not story.wrong
    play("b", 13, 0)
    assert story.wrong == ["late"]


# -- private lines ---------------------------------------------------------------------------------


def test_private_lines_arrive_once(story: Story) -> None:
    """One that was acknowledged arrives exactly once, at whom it was sent to."""
    tells = story.judge.tells
    for number in range(4):
        tells.sent(f"t{number} psst", "ann", "bob", 1)
    tells.stored("t0 psst", 2)
    tells.arrived("t0 psst", "ann", "bob")
    tells.arrived("t1 psst", "ann", "bob")
    tells.at_rest(9)
    assert not story.wrong
    tells.arrived("t1 psst", "ann", "bob")
    tells.arrived("t2 psst", "ann", "eve")
    tells.stored("t3 psst", 2)
    tells.at_rest(9)
    assert story.wrong == ["tell-astray", "tell-doubled", "tell-lost"]


def test_private_lines_are_acknowledged_if_somebody_hears_them(story: Story) -> None:
    """One that was acknowledged while the receiver had no connection is a lie; while it changed, nobody knows."""
    names, tells = story.judge.names, story.judge.tells
    names.closed("bob@b", 10, leaves=False)
    tells.sent("t1 psst", "ann", "bob", 9)
    tells.stored("t1 psst", 11)
    tells.at_rest(20)
    assert not story.wrong
    # What came last over a connection came before: it may have been lost already.
    story.welcome("bob@a", "bob", now=11)
    tells.sent("t3 psst", "ann", "bob", 14)
    tells.stored("t3 psst", 14.1)
    names.closed("bob@a", 18, leaves=False, alive_at=13)
    tells.at_rest(20)
    assert story.wrong == []
    # Of two connections each may be the one that counts.
    story.welcome("bob@a", "bob", now=20)
    story.welcome("bob@b", "bob", now=21)
    tells.sent("t4 psst", "ann", "bob", 22)
    tells.stored("t4 psst", 22.1)
    tells.at_rest(29)
    names.closed("bob@a", 30, leaves=False)
    names.closed("bob@b", 30, leaves=False)
    assert story.wrong == []
    tells.sent("t2 psst", "ann", "bob", 40)
    tells.stored("t2 psst", 41)
    tells.at_rest(50)
    assert story.wrong == ["tell-to-nobody"]
