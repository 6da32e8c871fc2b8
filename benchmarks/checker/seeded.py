"""The list of seeded bugs: by which promises are broken, on one node and on many."""

from __future__ import annotations

from benchmarks.checker.bugs import Bug, Patch

__all__ = ["BUGS"]

_ONE_NODE = ("--store", "sqlite")


def _options(faults: str, standby: str = "none") -> tuple[str, ...]:
    return ("--faults", faults, "--standby", standby)


_instead = Patch


def _before(path: str, old: str, more: str) -> Patch:
    return Patch(path, old, more + old)


def _behind(path: str, old: str, more: str) -> Patch:
    return Patch(path, old, old + more)


_NOT_BEFORE = """            for member in room.audience.members:
                member.cursor = max(member.cursor, events[0].seq - 1)
"""

_CALL = "((answer,),) = await self.database.append.call(_APPEND"

_NAMES = _instead("postgres/log.sql", "AS others;", "AS others WHERE false;")
"""An append does not look whose the names are; that is a second fence."""

_KEPT = _instead("people/shared.py", "is_here and name not in mine:", "is_here and name not in names:")
"""A node does not let go of a session that another one says it has."""

_NOT_COUNTED = _instead("people/beat.py", 'answer["people"] != self._ward.count()', "False")
"""A node does not look how many people the database says it has."""

_KEYS_BEFORE = """    SELECT array_agg(asked.line) INTO standing
    FROM unnest(room_of, keys) WITH ORDINALITY AS asked (room, key, line)
    JOIN chat.rooms ON rooms.name = room_names[asked.room]
    JOIN chat.events ON events.room = rooms.id AND events.key = asked.key;
"""

_ON_ONE_NODE = {
    "shown-not-stored": Bug(
        "one batch of fifty is not stored, and is shown all the same",
        [
            _instead(
                "stores/sqlite_log.py",
                "if len(work) == 1:\n                self",
                "if len(work) == 1:\n                hash(str(work)) % 50 and self",
            )
        ],
        _ONE_NODE,
    ),
    "fan-out-drops": Bug(
        "now and then a member is passed over",
        [
            _instead(
                "rooms/audience.py",
                "                    if outlet.show(page):\n                        member.cursor = last",
                "                    if hash((last, id(member))) % 500 == 0 or outlet.show(page):\n"
                "                        member.cursor = last",
            )
        ],
        _ONE_NODE,
    ),
    "refused-though-stored": Bug(
        "a line in a hundred is stored, and refused",
        [
            _instead(
                "appender.py",
                "outcomes = await self._ask(self._store.append, drafts)\n",
                "outcomes = await self._ask(self._store.append, drafts)\n"
                "        if len(drafts) == 1 and hash(drafts[0].id) % 100 == 0:\n"
                "            outcomes = [Refused(StoreError('It is not so.'))]\n",
            )
        ],
        _ONE_NODE,
    ),
    "batch-reversed": Bug(
        "the lines of a batch are stored in the wrong order",
        [
            _instead(
                "stores/sqlite_log.py",
                "return [*self._append(batch, now_ms)]",
                "return [*self._append(batch[::-1], now_ms)][::-1]",
            )
        ],
        _ONE_NODE,
    ),
    "resume-one-too-far": Bug(
        "whoever comes back is shown all but the first line that it missed",
        [_instead("visitor.py", "min(after, seq)", "min(after + 1, seq)")],
        _ONE_NODE,
    ),
    "both-keep-the-session": Bug(
        "the old connection is not closed when another one takes the session up",
        [_instead("doors/jsonl.py", "before.evicted(*_TAKEN_OVER)", "pass")],
        _ONE_NODE,
    ),
    "clock-goes-back": Bug(
        "an event's time is the clock's, also if that is behind the last event's",
        [
            _instead("stores/stamp.py", "now_ms if now_ms >= last_at else last_at + 1", "now_ms"),
            _instead(
                "stores/sqlite.py", "int(self._clock() * 1000)", "int(self._clock() * 1000) + hash(batch[0]) % 1000"
            ),
        ],
        _ONE_NODE,
    ),
}

_IN_THE_FEED = {
    "no-gap-check": Bug(
        "a node that hears of a new head shows the event there, and not those before it",
        [
            _instead("feed.py", "room.name, after=after,", "room.name, after=max(after, room.head - 1),"),
            _behind("feed.py", "            room.extend(events)\n            self._pay(room)\n", _NOT_BEFORE),
        ],
        _options("blink"),
    ),
    "one-too-far": Bug(
        "a node reads on behind the event that follows on what it has",
        [_instead("feed.py", "room.name, after=after, limit", "room.name, after=after + 1, limit")],
        _options("none"),
    ),
    "own-before-others": Bug(
        "a node shows its own events at once, whatever stands before them",
        [
            _instead("feed.py", "outcome.event.seq == room.seq + 1:", "outcome.event.seq > room.seq:"),
            _instead(
                "feed.py",
                "if events and events[0].seq == room.seq + 1 and events[-1].seq == room.seq + len(events):",
                "if events and events[0].seq > room.seq:",
            ),
        ],
        _options("none"),
    ),
    "heads-not-read": Bug(
        "a node does not ask where the rooms stand, neither when it listens anew nor at its beat",
        [_instead("people/beat.py", 'for room, head in news["moved"]:', "for room, head in ():")],
        _options("blink,cut,hole"),
    ),
    "deaf": Bug(
        "a node whose listening connection was made anew does not listen",
        [
            _instead(
                "postgres/database.py",
                'await connection.call(f"LISTEN {CHANNEL}")',
                'self._has_listened or await connection.call(f"LISTEN {CHANNEL}")',
            )
        ],
        _options("blink,cut"),
    ),
    "again-is-fresh": Bug(
        "a line whose key stood before counts as new",
        [
            _instead(
                "postgres/batch.py", "Stored(event, fresh=False) if is_same", "Stored(event, fresh=True) if is_same"
            )
        ],
        _options("kill,hole-down"),
    ),
}

_IN_THE_STORE = {
    "commit-not-awaited": Bug(
        "a commit is not waited for, as without a log on the disk",
        [
            _instead("postgres/database.py", "'synchronous_commit', 'on'", "'synchronous_commit', 'off'"),
            _instead("postgres/database.py", "IN ('off', 'local')", "<> 'off'"),
        ],
        _options("engine-kill"),
    ),
    "no-synchronous-standby": Bug("a failover to a standby that lags", options=_options("failover", "async")),
    "new-number": Bug(
        "a batch of which nothing is known is sent again under a new number",
        [
            _before(
                "stores/postgres.py",
                "            answer = await self._append_again(asked)\n",
                "            self._number += 1\n            asked = Batch(self._number, asked.drafts)\n",
            )
        ],
        _options("hole-down,blink,cut"),
    ),
    "old-number": Bug(
        "a batch that comes late, after others, is stored",
        [_instead("postgres/log.sql", "ELSIF mine.batch > number THEN", "ELSIF false THEN")],
        _options("hole-up,hole-one"),
    ),
    "shown-before-commit": Bug(
        "an append is answered and shown, and then committed",
        [
            _before("stores/postgres.py", f"        {_CALL}", "        await self.database.append.call('BEGIN')\n"),
            _before(
                "stores/postgres.py",
                '        return answer or ""\n\n    async def _append_again',
                "        from twisted.internet.defer import Deferred\n"
                "        Deferred.fromCoroutine(self.database.append.call('COMMIT')).addErrback(lambda _: None)\n",
            ),
        ],
        _options("engine-kill,terminate,blink"),
    ),
    "refused-on-loss": Bug(
        "when the connection is lost, what was under way is refused",
        [
            _instead(
                "stores/postgres.py",
                "        except LostError:\n            return self._not_known(asked)",
                "        except LostError as error:\n            return [Refused(error)] * len(batch)",
            )
        ],
        _options("hole-down,blink,terminate"),
    ),
    "no-raw-text": Bug(
        "a text with a NUL is kept as it is readable",
        [_instead("postgres/batch.py", "[raw(draft.text) for draft in lines]", "[None for draft in lines]")],
        _options("none"),
    ),
    "key-before-lock": Bug(
        "a key is looked up before the room is locked",
        [
            _before(
                "postgres/log.sql",
                "    SELECT array_agg(held.id ORDER BY",
                f"{_KEYS_BEFORE}    PERFORM pg_sleep(0.05);\n",
            ),
            _instead("postgres/log.sql", "    IF keys IS NOT NULL THEN\n", "    IF false THEN\n"),
        ],
        _options("delay"),
    ),
    "locked-as-they-come": Bug(
        "rooms are locked in the order of the batch",
        [
            _instead(
                "postgres/log.sql",
                "\n        ORDER BY rooms.id FOR NO KEY",
                "\n        ORDER BY asked.place FOR NO KEY",
            )
        ],
        _options("none"),
    ),
    "one-notification": Bug(
        "all heads of a batch are told in one notification, however long",
        [_instead("postgres/log.sql", " GROUP BY grown.place / 50", "")],
        _options("delay"),
    ),
}

_IN_THE_REGISTER = {
    "no-fence": Bug(
        "an append is taken from a node whose lease has lapsed, whoever has the names",
        [
            _instead("postgres/log.sql", "ELSIF mine.until IS NULL OR mine.until <= chat.now_ms()", "ELSIF false"),
            _NAMES,
        ],
        _options("stop,hole-down"),
    ),
    "said-under-a-lost-name": Bug(
        "lines that waited while the lease lapsed are said when there is one again, whoever has the names",
        [_instead("people/beat.py", 'self._home.cut_off(ChatError("not-stored", _NOT_SAID))', "pass"), _NAMES],
        _options("stop,hole,cut"),
    ),
    "not-claimed-anew": Bug(
        "a node that comes back does not claim the names of its people",
        [
            _NOT_COUNTED,
            _instead(
                "people/beat.py",
                "self._asking.come_back(self._ward.listed())\n        self.trouble",
                "self._asking.come_back([])\n        self.trouble",
            ),
        ],
        _options("stop,hole"),
    ),
    "rosters-not-told": Bug(
        "the other nodes are not told who is there again",
        [
            _instead(
                "postgres/people.sql",
                "    PERFORM chat.roster_changed(me, rooms, '[]', '[]');\n    RETURN array_to_json(lost);",
                "    RETURN array_to_json(lost);",
            )
        ],
        _options("stop,hole"),
    ),
    "outcome-swept": Bug(
        "the row of a node goes with its lease, and with it what became of its last batch",
        [
            _behind(
                "postgres/people.sql", "FOR UPDATE SKIP LOCKED LOOP\n", "DELETE FROM chat.nodes WHERE id = dead.id;\n"
            )
        ],
        _options("hole-down"),
    ),
    "tell-to-the-dead": Bug(
        "a private line counts as delivered when the other node says nothing",
        [_instead("people/tells.py", "raise await self._not_answered(number, to)", "return")],
        _options("kill"),
    ),
    "session-on-two-nodes": Bug(
        "a node does not let go of a session that has moved to another one",
        [_KEPT, _NOT_COUNTED],
        _options("none"),
    ),
    "token-twice": Bug(
        "a token is taken, and the session stays where it was, too",
        [
            _instead("postgres/people.sql", "SET node = me, until = NULL WHERE", "SET until = NULL WHERE"),
            _KEPT,
            _NOT_COUNTED,
        ],
        _options("none"),
    ),
}

BUGS: dict[str, Bug] = _ON_ONE_NODE | _IN_THE_FEED | _IN_THE_STORE | _IN_THE_REGISTER
"""All bugs, by name."""
