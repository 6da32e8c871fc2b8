"""Who came, went and changed, as lines of IRC: rendered once for all clients that want the same.

Knows what each capability changes in them. Must not know who reads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.irc.message import write
from twistedchat.rooms.charter import as_text
from twistedchat.rooms.steps import StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.irc.format import IrcFormat
    from twistedchat.rooms.steps import Run, Step

__all__ = ["PRESENCE_CAPS", "steps_but", "steps_lines"]

PRESENCE_CAPS = frozenset({"away-notify", "extended-join", "invite-notify", "setname"})
"""The capabilities that change what is told of others, besides tags. Source: their texts in IRCv3."""

CACHED_RUNS = 16
"""Most renderings that are kept for other clients. Source: some rooms that are told something at the same time."""

MODE_BYTES = 350
"""Size limit of the changes in one line, in bytes. Source: 510 less the source and the room."""

_NEEDED = {StepKind.AWAY: "away-notify", StepKind.INVITE: "invite-notify", StepKind.SETNAME: "setname"}
"""What is told only to those who have asked for a capability."""


class Rendered(NamedTuple):
    """A run as bytes.

    Attributes:
        data: All of it.
        lines: What each step is; b"" where it is not told.
    """

    data: bytes
    lines: Sequence[bytes]


@lru_cache(maxsize=CACHED_RUNS)
def steps_lines(run: Run, room: str, format_: IrcFormat, caps: frozenset[str]) -> Rendered:
    """Render a run.

    Args:
        run: What happened.
        room: Where it is told.
        format_: Of the client.
        caps: Of `PRESENCE_CAPS` those that the client has asked for.
    """
    lines = [b"".join(_lines(step, f"#{room}", format_, caps)) for step in run.steps]
    return Rendered(b"".join(lines), lines)


def steps_but(rendered: Rendered, known: Sequence[int]) -> bytes:
    """What is rendered, without the steps of these indices."""
    if not known:
        return rendered.data
    left_out = set(known)
    return b"".join([line for index, line in enumerate(rendered.lines) if index not in left_out])


def _lines(step: Step, channel: str, format_: IrcFormat, caps: frozenset[str]) -> list[bytes]:
    kind = step.kind
    if kind is StepKind.JOIN:
        return _join(step, channel, format_, caps)
    if kind is StepKind.MODE:
        return _modes(step, channel, format_)
    if _NEEDED.get(kind, "") not in {"", *caps}:
        return []
    return [write(step.source, kind.upper(), *_params(step, channel), tags=format_.stamp(step.at))]


def _params(step: Step, channel: str) -> Sequence[str]:
    """What stands behind the command."""
    kind, text = step.kind, step.text
    if kind is StepKind.KICK:
        return channel, step.target, text or step.who
    if kind is StepKind.INVITE:
        return step.target, channel
    where = [channel] if kind is StepKind.PART else []
    return [*where, text] if text or kind not in (StepKind.PART, StepKind.AWAY) else where


def _join(step: Step, channel: str, format_: IrcFormat, caps: frozenset[str]) -> list[bytes]:
    """Somebody who has come: with why it is away, and with its rank, if it has any."""
    tags, profile = format_.stamp(step.at), step.profile
    extended = ("*", profile.real if profile else "") if "extended-join" in caps else ()
    lines = [write(step.source, "JOIN", channel, *extended, tags=tags)]
    if profile is not None and profile.away and "away-notify" in caps:
        lines.append(write(step.source, "AWAY", profile.away, tags=tags))
    if step.rank:
        bearers = [step.who] * len(step.rank)
        lines.append(write(format_.server, "MODE", channel, f"+{step.rank}", *bearers, tags=tags))
    return lines


def _modes(step: Step, channel: str, format_: IrcFormat) -> list[bytes]:
    source, tags = step.source or format_.server, format_.stamp(step.at)
    return [write(source, "MODE", channel, *text.split(" "), tags=tags) for text in as_text(step.changes, MODE_BYTES)]
