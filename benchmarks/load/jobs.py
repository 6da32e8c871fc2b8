"""What the load generator can be asked to do: plain records that travel as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Arrivals", "Churn", "FanOut", "Hostile", "Job", "PingPong", "Rolling", "read_job", "write_job"]


@dataclass(frozen=True, slots=True)
class Job:
    """What every job says.

    Attributes:
        port: Where the server listens, on loopback.
        dialect: How to speak to it: see `benchmarks.dialects.spoken`.
        pid: The server's process, whose processor time is read; or None.
        at_once: How many may be on their way into the servers at the same time.
        other_ports: The other servers that share their rooms with the one at ``port``; people go to all in turn.
        other_pids: Their processes.
        engine_pid: The database's process, whose processor time is told apart; or None.
    """

    port: int
    dialect: str
    pid: int | None = None
    at_once: int = 100
    other_ports: tuple[int, ...] = ()
    other_pids: tuple[int, ...] = ()
    engine_pid: int | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """Where all the servers listen."""
        return (self.port, *self.other_ports)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of all the servers that are known."""
        return (self.pid, *self.other_pids) if self.pid else self.other_pids


@dataclass(frozen=True, slots=True)
class FanOut(Job):
    """One room; lines are said by a clock, whether the server keeps up or not.

    Attributes:
        members: Everyone in the room, those who talk included.
        senders: How many of them talk, in turns.
        rates: Lines a second, stage by stage.
        seconds: How long each stage counts.
        warm_seconds: How long it runs before it counts.
        text_bytes: The length of each text.
        climbing: Whether a stage that was too much for the server is the last one.
        p99_limit_ms: A stage slower than this was too much.
        room: Which room.
        limit_seconds: How long filling the room may take.
        drain_seconds: How long to wait, after the last line was said, until everybody has it.
        stalled_seconds: When nothing came for so long after the last line, nothing more comes.
        manner: What is personal about each member: a key of `benchmarks.load.manners.MANNERS`.
    """

    members: int = 1000
    senders: int = 10
    rates: tuple[float, ...] = (1000,)
    seconds: float = 3.0
    warm_seconds: float = 1.0
    text_bytes: int = 32
    climbing: bool = False
    p99_limit_ms: float = 100.0
    room: str = "lobby"
    limit_seconds: float = 30.0
    drain_seconds: float = 5.0
    stalled_seconds: float = 2.0
    manner: str = "plain"


@dataclass(frozen=True, slots=True)
class PingPong(Job):
    """Many small rooms with one line in flight in each: the next is said when everybody has the last.

    Attributes:
        rooms: How many rooms.
        members: How many are in each.
        seconds: How long it counts.
        warm_seconds: How long it runs before it counts.
        text_bytes: The length of each text.
    """

    rooms: int = 500
    members: int = 4
    seconds: float = 2.0
    warm_seconds: float = 0.5
    text_bytes: int = 32


@dataclass(frozen=True, slots=True)
class Arrivals(Job):
    """People come and stay.

    Attributes:
        people: How many.
        rooms: Into how many rooms, in turns; one room is the lobby.
        limit_seconds: How long they may take.
        idle_seconds: How long the servers are watched when all are in and nothing more comes.
    """

    people: int = 10_000
    rooms: int = 100
    limit_seconds: float = 90.0
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Churn(Job):
    """People come, listen and go.

    Attributes:
        per_second: How many come a second.
        stay_seconds: How long each stays.
        seconds: How long it goes on.
        room: Where.
    """

    per_second: float = 20.0
    stay_seconds: float = 3.0
    seconds: float = 60.0
    room: str = "lobby"


@dataclass(frozen=True, slots=True)
class Hostile(Job):
    """Peers take without reading, or send too fast.

    Attributes:
        attack: What they do: a key of `benchmarks.load.attacks.ATTACKS`.
        peers: How many do it.
        limit_seconds: How long entering, attacking and going may take, each.
    """

    attack: str = "none"
    peers: int = 1000
    limit_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Rolling(Job):
    """People talk while the servers are restarted one after the other; whoever loses one comes back at the next.

    Attributes:
        members: How many people, spread evenly over the servers.
        rooms: Into how many rooms, in turns.
        senders: How many of them talk, in turns.
        rate: Lines a second.
        seconds: How long they talk.
        limit_seconds: How long coming in may take.
        drain_seconds: How long to wait at the end until all is answered and shown.
    """

    members: int = 1000
    rooms: int = 1
    senders: int = 20
    rate: float = 200.0
    seconds: float = 20.0
    limit_seconds: float = 30.0
    drain_seconds: float = 20.0


_KINDS: dict[str, type[Job]] = {kind.__name__: kind for kind in (Arrivals, Churn, FanOut, Hostile, PingPong, Rolling)}


def write_job(job: Job) -> str:
    """The job as one line."""
    return json.dumps({"kind": type(job).__name__} | asdict(job))


def read_job(line: str) -> Job:
    """The job that `write_job` wrote."""
    fields: dict[str, Any] = json.loads(line)
    kind: Any = _KINDS[fields.pop("kind")]
    job: Job = kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    return job
