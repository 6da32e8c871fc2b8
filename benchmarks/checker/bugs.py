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

__all__ = ["Bug", "Patch", "plant"]

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
