"""Who wants to be told when a name is somebody's, and when it is nobody's any more.

Knows names, and when the watchers of one are to be told. Must not know who has a name, nor how it is told.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

from twistedchat.limits import TokenBucket
from twistedchat.names import likenesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["MAX_WATCHED", "TELLS_A_SECOND", "Seen", "Watcher", "Watching"]

MAX_WATCHED = 100
"""Most names that one watcher has on its list. Source: docs/irc.md, ``MONITOR=100``."""

TELLS_A_SECOND = 10_000
"""Most watchers who are told something in a second, and at once; beyond it what happens is gathered.

Source: docs/irc.md, "Who is here".
"""

_STRETCH = 64
"""Watchers who are told in one turn of the reactor. Source: 64 sends are about 0.5 ms."""

_GATHER_SECONDS = 1.0
"""Delay after which those are told who could not be told at once, in seconds. Source: docs/irc.md, "Who is here"."""


class Seen(NamedTuple):
    """A name, as it is now.

    Attributes:
        name: As who has it spells it; "" if it is nobody's.
        away: Why the person is away, or "".
        real: What the person says about itself.
    """

    name: str = ""
    away: str = ""
    real: str = ""


_NOBODY = Seen()


class Watcher(Protocol):
    """Somebody with a list of names."""

    def show_watched(self, here: Sequence[str], gone: Sequence[str], changed: Sequence[tuple[Seen, Seen]]) -> bool:
        """Tell which names are somebody's now, as that one spells them, and which are nobody's any more.

        Args:
            here: The first.
            gone: The others, as they were asked for.
            changed: Whose name it still is, but who is away or not, or says something else of itself: before and now.

        Returns:
            Whether it was taken. If not, `Watching.drained` is to be called when there is room again.
        """
        ...


class _Watched:
    """A name on a list.

    Attributes:
        watcher: Whose list it is.
        name: As it was asked for.
        told: How it is, as far as its watcher knows.
    """

    __slots__ = ("name", "told", "watcher")

    def __init__(self, watcher: Watcher, name: str) -> None:
        self.watcher = watcher
        self.name = name
        self.told = _NOBODY


class Watching:
    """The lists of all watchers. What a watcher is told is how things are then: whatever happened between is left out.

    Args:
        clock: For the rate and delays.
        look: How the name that this one counts as is now.
    """

    __slots__ = ("_budget", "_by_key", "_clock", "_due", "_full", "_lists", "_look", "_timer")

    def __init__(self, clock: IReactorTime, look: Callable[[str], Seen]) -> None:
        self._clock = clock
        self._look = look
        self._budget = TokenBucket(TELLS_A_SECOND, TELLS_A_SECOND, clock.seconds())
        # By the first key of each name.
        self._lists: dict[Watcher, dict[str, _Watched]] = {}
        # By each key of a name.
        self._by_key: dict[str, dict[_Watched, None]] = {}
        # Those who may have to be told something; and those of them who take nothing at the moment.
        self._due: dict[Watcher, dict[_Watched, None]] = {}
        self._full: dict[Watcher, dict[_Watched, None]] = {}
        self._timer: IDelayedCall | None = None

    # -- lists -----------------------------------------------------------------------------------

    def watch(self, watcher: Watcher, name: str) -> str | None:
        """Put a name on a list.

        Args:
            watcher: Whose list.
            name: As `names.clean_name` gives it.

        Returns:
            Who has the name, as it is spelled, or ""; None if the list is full, and nothing was done.
        """
        names = self._lists.get(watcher, {})
        keys = likenesses(name)
        watched = names.get(keys[0])
        if watched is None:
            if len(names) >= MAX_WATCHED:
                return None
            watched = _Watched(watcher, name)
            self._lists.setdefault(watcher, {})[keys[0]] = watched
            for key in keys:
                self._by_key.setdefault(key, {})[watched] = None
        watched.told = self._look(name)
        return watched.told.name

    def unwatch(self, watcher: Watcher, name: str) -> None:
        """Take a name off a list, if it is on it."""
        names = self._lists.get(watcher, {})
        watched = names.pop(likenesses(name)[0], None)
        if watched is not None:
            self._drop(watched)
        if not names:
            self.forget(watcher)

    def forget(self, watcher: Watcher) -> None:
        """A watcher has no list any more."""
        for watched in self._lists.pop(watcher, {}).values():
            self._drop(watched)
        self._due.pop(watcher, None)
        self._full.pop(watcher, None)

    def _drop(self, watched: _Watched) -> None:
        for key in likenesses(watched.name):
            del self._by_key[key][watched]
            if not self._by_key[key]:
                del self._by_key[key]
        for due in (self._due, self._full):
            due.get(watched.watcher, {}).pop(watched, None)

    def names(self, watcher: Watcher) -> Sequence[tuple[str, str]]:
        """A list: each name as it was asked for, and as who has it spells it, or ""."""
        return [(watched.name, self._look(watched.name).name) for watched in self._lists.get(watcher, {}).values()]

    def watchers(self, name: str) -> Iterable[Watcher]:
        """Who has this name on its list, each once."""
        found = {watched.watcher: None for key in likenesses(name) for watched in self._by_key.get(key, ())}
        return found.keys()

    # -- telling ---------------------------------------------------------------------------------

    def changed(self, name: str) -> None:
        """A name is somebody's now, or nobody's any more, or its person has changed: tell those who watch it."""
        if not self._by_key:
            return
        for key in likenesses(name):
            for watched in self._by_key.get(key, ()):
                those = self._full if watched.watcher in self._full else self._due
                those.setdefault(watched.watcher, {})[watched] = None
        if self._timer is None:
            self._tell()

    def drained(self, watcher: Watcher) -> None:
        """A watcher who took nothing has room again."""
        due = self._full.pop(watcher, None)
        if due is not None:
            self._tell_one(watcher, self._news(due))

    def stop(self) -> None:
        """Tell nobody anything any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        """Tell those who are due, as far as it goes at once."""
        self._timer = None
        for watcher in list(islice(self._due, _STRETCH)):
            due = self._due.pop(watcher, {})
            news = self._news(due)
            if news and self._budget.take(self._clock.seconds()):
                self._due[watcher] = due
                self._timer = self._clock.callLater(_GATHER_SECONDS, self._tell)
                return
            self._tell_one(watcher, news)
        if self._due and self._timer is None:
            self._timer = self._clock.callLater(0, self._tell)

    def _news(self, due: Iterable[_Watched]) -> Sequence[tuple[_Watched, Seen]]:
        """Those of which their watcher does not know how they are."""
        return [(watched, now) for watched in due if (now := self._look(watched.name)) != watched.told]

    def _tell_one(self, watcher: Watcher, news: Sequence[tuple[_Watched, Seen]]) -> None:
        here = [now.name for watched, now in news if now.name and now.name != watched.told.name]
        gone = [watched.name for watched, now in news if not now.name]
        changed = [(watched.told, now) for watched, now in news if now.name and now.name == watched.told.name]
        if not news or watcher.show_watched(here, gone, changed):
            for watched, now in news:
                watched.told = now
        else:
            self._full[watcher] = dict.fromkeys(watched for watched, _ in news)
