"""Makes the faults of a schedule happen, and heals them."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from benchmarks.checker.judge import Judge
    from benchmarks.checker.nodes import Node
    from benchmarks.checker.proxy import Proxy
    from benchmarks.checker.schedule import Fault
    from benchmarks.checker.stores import Postgres

    How = Callable[["Faults", Fault], Awaitable[None]]

__all__ = ["Faults"]

LAG_SECONDS = 0.7
"""Time between the standby's being cut off and the primary's end, in seconds. Source: the contract of many nodes."""

CLOCK_MS = 60_000
"""How far the database's clock is set forth or back, in milliseconds. Source: the contract of many nodes."""


class Faults:
    """Does what a schedule says.

    Args:
        nodes: The daemons.
        store: The database; None if there are faults of nodes alone.
        judge: Is told what explains what is seen: clocks that jump, nodes that are stopped.
        say: Shows a line of progress.

    Attributes:
        counts: How many there were of each kind.
    """

    def __init__(self, nodes: Sequence[Node], store: Postgres | None, judge: Judge, say: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self.nodes = nodes
        self._store = store
        self._judge = judge
        self._say = say

    @property
    def store(self) -> Postgres:
        """The database."""
        if self._store is None:
            raise ValueError("There is no database that could fail.")
        return self._store

    async def play(self, faults: Sequence[Fault]) -> None:
        """Play a round: every fault at its time, healed when it is over."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._one(fault))

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        self._say(f"{fault.at:6.1f} s  {fault}")
        self.counts[fault.kind] += 1
        await _HOW[fault.kind](self, fault)

    async def on_links(self, fault: Fault, fail: Callable[[Proxy], None]) -> None:
        """Let a node's links to the database fail for a while."""
        links = self.store.links[fault.node]
        for link in links:
            fail(link)
        await asyncio.sleep(fault.seconds)
        for link in links:
            link.heal(reset=fault.chance < 0.5)

    def node_stops(self, seconds: float) -> None:
        """A node is stopped."""
        self._judge.stays.node_stops(asyncio.get_running_loop().time(), seconds)

    def clock_jumped(self) -> None:
        """The database's clock was set."""
        self._judge.names.clock_jumped(asyncio.get_running_loop().time())


async def _kill(faults: Faults, fault: Fault) -> None:
    node = faults.nodes[fault.node]
    await node.kill()
    await asyncio.sleep(fault.seconds)
    await node.start()


async def _term(faults: Faults, fault: Fault) -> None:
    node = faults.nodes[fault.node]
    await node.stop()
    await node.start()


async def _stop(faults: Faults, fault: Fault) -> None:
    node = faults.nodes[fault.node]
    faults.node_stops(fault.seconds)
    node.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        node.signal(signal.SIGCONT)


async def _cut(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.cut())


async def _blink(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.blink())


async def _blink_one(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.blink_one(random.Random(fault.chance)))  # noqa: S311  a schedule's


async def _hole(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.hole("up", "down"))


async def _hole_up(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.hole("up"))


async def _hole_down(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.hole("down"))


async def _hole_one(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.hole_one(random.Random(fault.chance)))  # noqa: S311  likewise


async def _delay(faults: Faults, fault: Fault) -> None:
    await faults.on_links(fault, lambda link: link.slow_down(0.05 + 0.45 * fault.chance))


async def _engine_kill(faults: Faults, fault: Fault) -> None:
    await faults.store.kill()
    await asyncio.sleep(fault.seconds)
    await faults.store.start()


async def _engine_stop(faults: Faults, fault: Fault) -> None:
    faults.store.stop_processes(signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        faults.store.stop_processes(signal.SIGCONT)


async def _terminate(faults: Faults, _: Fault) -> None:
    await faults.store.terminate()


async def _failover(faults: Faults, _: Fault) -> None:
    await faults.store.fail_over(LAG_SECONDS)


async def _standby_cut(faults: Faults, fault: Fault) -> None:
    faults.store.standby_link.cut()
    await asyncio.sleep(fault.seconds)
    faults.store.standby_link.heal()


async def _clock(faults: Faults, fault: Fault) -> None:
    faults.clock_jumped()
    await faults.store.set_clock(CLOCK_MS if fault.chance < 0.5 else -CLOCK_MS)
    await asyncio.sleep(fault.seconds)
    await faults.store.set_clock(0)
    faults.clock_jumped()


async def _full(faults: Faults, fault: Fault) -> None:
    await faults.store.fill()
    await asyncio.sleep(fault.seconds)
    await faults.store.empty()


_HOW: dict[str, How] = {
    "kill": _kill,
    "term": _term,
    "stop": _stop,
    "cut": _cut,
    "blink": _blink,
    "blink-one": _blink_one,
    "hole": _hole,
    "hole-up": _hole_up,
    "hole-down": _hole_down,
    "hole-one": _hole_one,
    "delay": _delay,
    "engine-kill": _engine_kill,
    "engine-stop": _engine_stop,
    "terminate": _terminate,
    "failover": _failover,
    "standby-cut": _standby_cut,
    "clock": _clock,
    "full": _full,
}
"""How each of `schedule.KINDS` is made."""
