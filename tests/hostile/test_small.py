"""Small things that a stranger sees: bells, dates, rooms that never were, characters that hide, parting words."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.crowd import BEYOND, fill, request
from tests.live.daemon import Caller, Daemon, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HIDING = {
    "zero width space": "\u200b",
    "left-to-right mark": "\u200e",
    "Arabic letter mark": "\u061c",
    "word joiner": "\u2060",
    "zero width no-break space": "\ufeff",
}
"""Characters that are not seen. Source: the Unicode Standard, section 23.2 (layout controls) and 23.8 (specials)."""

FORGOTTEN_SECONDS = 3.0
"""Time in which a room that nobody is in is forgotten."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as running:
        yield running
        assert "Traceback" not in running.log


def person(daemon: Daemon, name: str, *lines: str) -> Caller:
    """Somebody who is in the lobby, and has said or asked this."""
    caller = daemon.caller()
    caller.say(name, *lines, "/ping")
    exchange([caller], lambda: caller.heard("*** Pong."), "the person is in")
    return caller


def shown(caller: Caller, text: str) -> str:
    """The last whole line with a text, as soon as there is one."""
    exchange([caller], lambda: any(text in line for line in caller.lines), f"{text} is shown")
    return [line for line in caller.received.decode().split("\r\n") if text in line][-1]


class TestBell:
    def test_whole_words(self, daemon: Daemon) -> None:
        """A bell rings where the name stands as a word of its own, and not within another."""
        al, bob = person(daemon, "al", "/set bell on"), person(daemon, "bob")
        bob.say("also", "a royal visit", "al?", "hello, Al!", "the end")
        exchange([al, bob], lambda: al.heard("the end"), "all is shown")
        rings = {text: "\a" in shown(al, f"bob: {text}") for text in ("also", "a royal visit", "al?", "hello, Al!")}
        assert rings == {"also": False, "a royal visit": False, "al?": True, "hello, Al!": True}


class TestDates:
    def test_history_of_the_ignored(self, daemon: Daemon) -> None:
        """``/history`` of which every line is ignored is no reason to tell the date again."""
        fill(daemon, {"den": ["a line of somebody who is ignored"]})
        ann = person(daemon, "ann", "/join #den", "/ignore filler", "my own line")
        shown(ann, "ann: my own line")
        ann.say("/history 1 before 2", "another line")
        shown(ann, "ann: another line")
        dates = re.findall(r"--- .* ---", ann.received.decode())
        assert len(dates) == 1, ann.lines


class TestRooms:
    def test_refused(self, daemon: Daemon, tmp_path: Path) -> None:
        """A room whose only line was refused is forgotten when the last one has left: nothing was said there."""
        ann = daemon.program("ann")
        ann.call("join", room="ghosttown")
        # Waits for no other: one that writes holds off whoever else wants to write.
        with contextlib.closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")
            answer = ann.ask("say", room="ghosttown", text="never said")
            ann.ask("leave", room="ghosttown")
            exchange([ann], lambda: ann.answer(answer) is not None, "the line is refused")
            database.execute("ROLLBACK")
        refusal = ann.answer(answer) or {}
        assert refusal.get("code") == "not-stored", refusal
        deadline = time.monotonic() + FORGOTTEN_SECONDS
        while "ghosttown" in (rooms := [room["name"] for room in ann.call("rooms")["rooms"]]):
            assert time.monotonic() < deadline, f"{rooms} after {FORGOTTEN_SECONDS} s"

    def test_topic(self, daemon: Daemon) -> None:
        """``/topic -`` clears the topic, at every door."""
        ann, bot = person(daemon, "ann", "/topic news"), daemon.program("bot")
        shown(ann, "ann set the topic: news")
        ann.say("/topic -")
        shown(ann, "ann cleared the topic")
        assert bot.call("join", room="lobby")["topic"] == ""
        exchange([bot], lambda: len(bot.events("lobby")) == 2, "the events are shown")
        assert [event["text"] for event in bot.events("lobby")] == ["news", ""]


class TestHiding:
    @pytest.mark.parametrize("character", HIDING.values(), ids=HIDING)
    def test_text(self, daemon: Daemon, character: str) -> None:
        """A character that is not seen is not sent raw: something stands for it at telnet, an escape in JSON."""
        ann, bot = person(daemon, "ann"), daemon.program("bot")
        bot.call("join", room="lobby")
        text = f"pass{character}word"
        bot.call("say", room="lobby", text=text)
        line = shown(ann, "bot: pass")
        exchange([bot], lambda: len(bot.events("lobby")) == 1, "it is shown")
        [raw] = [line for line in bot.lines if '"type":"event"' in line]
        assert (character in line, character in raw) == (False, False), (line, raw)
        assert json.loads(raw)["text"] == text
        assert f"\\u{ord(character):04x}" in raw.lower()

    @pytest.mark.parametrize("character", HIDING.values(), ids=HIDING)
    def test_topic(self, daemon: Daemon, character: str) -> None:
        """The same in a topic, and in the list of rooms."""
        ann, bot = person(daemon, "ann"), daemon.program("bot")
        bot.call("join", room="lobby")
        bot.call("topic", room="lobby", text=f"pass{character}word")
        shown(ann, "set the topic: pass")
        ann.say("/rooms", "/topic", "/ping")
        exchange([ann], lambda: ann.received.count(b"*** Pong.") == 2, "all is answered")
        bot.call("rooms")
        assert (ann.heard(character), bot.heard(character)) == (False, False)


class TestQuit:
    @pytest.mark.parametrize("is_program", [False, True], ids=["telnet", "json"])
    def test_parting_word(self, daemon: Daemon, is_program: bool) -> None:
        """Whoever quits may say why, with ``/quit WHY`` or in a field of ``quit``; people in the room read it."""
        ann = person(daemon, "ann")
        bob = daemon.caller()
        if is_program:
            bob.say(request("hello", name="bob"), request("join", room="lobby", after=BEYOND))
        else:
            bob.say("bob")
        exchange([ann, bob], lambda: ann.heard("bob is here now"), "bob is here")
        bob.say(request("quit", text="gone fishing") if is_program else "/quit gone fishing")
        exchange([ann, bob], lambda: bob.over, "bob has left")
        assert not bob.was_reset
        assert shown(ann, "bob left") == "*** bob left: gone fishing"
