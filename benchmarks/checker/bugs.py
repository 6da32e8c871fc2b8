"""Seeded bugs: changes of the daemon by which a promise is broken, so that the checker can be seen to say so.

The daemon is never changed where it stands: a bug is put into a copy of the package, and that is run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BUGS", "Bug", "Patch", "plant"]

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that the package stands in."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A text in a file of the package, and what stands there instead.

    Attributes:
        path: The file, from the package's folder on; Python or SQL.
        old: Stands there exactly once.
        new: Stands there in its place.
    """

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug.

    Attributes:
        does: What it does.
        patches: How it is made.
        options: Of the checker, by which it shows soonest.
    """

    does: str
    patches: Sequence[Patch] = ()
    options: Sequence[str] = ()


_ONE_NODE = ("--store", "sqlite")

BUGS: dict[str, Bug] = {
    "shown-not-stored": Bug(
        "one batch of fifty is not stored, and is shown all the same",
        [
            Patch(
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
            Patch(
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
            Patch(
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
            Patch(
                "stores/sqlite_log.py",
                "return [*self._append(batch, now_ms)]",
                "return [*self._append(batch[::-1], now_ms)][::-1]",
            )
        ],
        _ONE_NODE,
    ),
    "resume-one-too-far": Bug(
        "whoever comes back is shown all but the first line that it missed",
        [Patch("session.py", "else min(after, seq)", "else min(after + 1, seq)")],
        _ONE_NODE,
    ),
    "both-keep-the-session": Bug(
        "the old connection is not closed when another one takes the session up",
        [Patch("doors/jsonl.py", "before.evicted(*_TAKEN_OVER)", "pass")],
        _ONE_NODE,
    ),
    "clock-goes-back": Bug(
        "an event's time is the clock's, also if that is behind the last event's",
        [
            Patch("stores/stamp.py", "now_ms if now_ms >= last_at else last_at + 1", "now_ms"),
            Patch("stores/sqlite.py", "int(self._clock() * 1000)", "int(self._clock() * 1000) + hash(batch[0]) % 1000"),
        ],
        _ONE_NODE,
    ),
}
"""All bugs, by name."""


def plant(bug: Bug, folder: Path) -> None:
    """Copy the package and its plugin into a folder, with a bug in it.

    Raises:
        ValueError: A text that is to be replaced is not there exactly once; the program has changed.
    """
    kept = shutil.ignore_patterns("__pycache__", "dropin.cache")
    shutil.copytree(CHECKOUT / "twistedchat", folder / "twistedchat", ignore=kept)
    shutil.copytree(CHECKOUT / "twisted", folder / "twisted", ignore=kept)
    for patch in bug.patches:
        path = folder / "twistedchat" / patch.path
        text = path.read_text("utf-8")
        if text.count(patch.old) != 1:
            raise ValueError(f"{path.name} has {text.count(patch.old)} times: {patch.old}")
        path.write_text(text.replace(patch.old, patch.new), "utf-8")
