"""Nodes, database servers and people of one story; and many stories that are played at the same time.

What takes a real node ten seconds takes ten stories no longer, if each has nodes and rooms of its own.
"""

from __future__ import annotations

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from tests.cluster.proxy import Proxy
from tests.engines import engine, new_database, new_engine
from tests.live.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from benchmarks.engine import Engine

    Act = Callable[["Stage"], None]
    """What happens in a story."""

__all__ = ["ACTS", "Stage", "Stories", "story"]

ACTS: dict[Callable[[Stories], None], Act] = {}
"""What happens in the story of each test."""

_making = threading.Lock()

_starting = threading.Semaphore(3)
"""So many stories start their nodes at the same time: a node must reach its database within seconds."""

_FAULT = re.compile(r"Traceback|Unhandled|#critical\]")
"""What stands in a daemon's log when something is wrong. Source: how ``twisted.logger`` writes."""


class Stage:
    """What one story needs; all of it ends with the story.

    Args:
        folder: For the nodes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._nodes: list[Daemon] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        for node in self._nodes:
            faults = [line for line in node.log.splitlines() if _FAULT.search(line)]
            assert fault or not faults, f"{faults[0]}\n{node.log}"

    # -- databases -----------------------------------------------------------------------------

    def engine(self, **settings: str) -> Engine:
        """A database server of the story's own, not started."""
        made = new_engine(**settings)
        self._stack.callback(made.remove)
        return made

    def proxy(self, url: str) -> tuple[Proxy, str]:
        """A way to a database that can be cut, and the address by that way."""
        [port] = re.findall(r":(\d+)/", url)
        proxy = self._stack.enter_context(Proxy(int(port)))
        return proxy, url.replace(f":{port}/", f":{proxy.port}/")

    @staticmethod
    def database() -> str:
        """The address of an empty database on the server that all stories share."""
        # PostgreSQL copies a template, which two can't do at a time.
        with _making:
            return new_database()

    @staticmethod
    def sql(url: str, text: str) -> str:
        """What the shared server answers to a statement."""
        return engine().sql(text, url.rpartition("/")[2])

    # -- nodes and people ------------------------------------------------------------------------

    def nodes(self, *urls: str, options: Sequence[str] = ()) -> list[Daemon]:
        """A node for each address, started together."""
        nodes = []
        for url in urls:
            folder = self._folder / f"node{len(self._nodes)}"
            folder.mkdir(parents=True)
            nodes.append(Daemon(folder, f"--store={url}", "--rate=0", *options))
            self._nodes.append(nodes[-1])
        with _starting, ThreadPoolExecutor() as pool:
            list(pool.map(self._stack.enter_context, nodes))
        return nodes


class Stories:
    """Stories that are played at the same time, each on a stage of its own.

    Args:
        acts: What happens in each.
        folder: For their nodes.
    """

    def __init__(self, acts: Iterable[Act], folder: Path) -> None:
        # It is made when it is first wanted, and not by two at a time.
        engine()
        acts = list(acts)
        self._pool = ThreadPoolExecutor(len(acts))
        self._played = {act: self._pool.submit(_play, act, folder / act.__name__) for act in acts}

    def outcome(self, act: Act) -> None:
        """Wait until a story has been played; raises what it raised."""
        self._played[act].result()

    def close(self) -> None:
        """Wait until all have been played."""
        self._pool.shutdown()


def _play(act: Act, folder: Path) -> None:
    with Stage(folder) as stage:
        act(stage)


def story(act: Act) -> Callable[[Stories], None]:
    """A test that is played at the same time as the other ones of its kind."""

    def test(stories: Stories) -> None:
        stories.outcome(act)

    test.__name__, test.__doc__, test.__module__ = act.__name__, act.__doc__, act.__module__
    ACTS[test] = act
    return test
