"""The gate: one person here, and everything that can be asked for, at whatever door.

Each verb asks `rules.may` first, takes plain values and gives back plain records; no room and no member
leaves it. A verb that may wait is a coroutine, and looks after every wait whether the session still is.
`say` is not (`speaker`): what it accepts is queued at once, in the order of calling, and its receipt is told later.
Must not know any door: what is shown goes to an `Outlet`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_new_name
from twistedchat.people.base import Arrival, DeedKind, Stay
from twistedchat.profiles import source
from twistedchat.rooms.audience import GONE
from twistedchat.rooms.steps import Step, StepKind
from twistedchat.ruler import MAX_WHY_BYTES
from twistedchat.speaker import lost
from twistedchat.text import cut
from twistedchat.visitor import Visitor

if TYPE_CHECKING:
    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub
    from twistedchat.people.base import Deed
    from twistedchat.profiles import Profile
    from twistedchat.speaker import Face, Listener

__all__ = ["Session"]

_USUAL_STAY = Stay()
"""How a session stays that is taken up by a random token."""

_CLOSED = "Connection closed"
"""What is told in steps of somebody who went without a word. Source: docs/irc.md, "Limits and leaving"."""


class Session(Visitor):
    """A person who is here, or about to be.

    Args:
        hub: The server's state.
        outlet: The connection.

    Attributes:
        name: The person's name; "" before `enter`, and after the session has ended.
        token: Takes up the session after its connection was lost; "" for one that can't be.
        stay: How it stays then.
    """

    __slots__ = ("stay", "token")

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        super().__init__(hub, outlet)
        self.token = ""
        self.stay = _USUAL_STAY

    # -- coming and going ------------------------------------------------------------------------

    async def enter(
        self, name: str, *, resumable: bool = False, stay: Stay | None = None, profile: Profile | Face | None = None
    ) -> None:
        """Take a name.

        Args:
            name: What was typed.
            resumable: Whether the session is to outlive its connection, and gets a token.
            stay: How it does, for one that is taken up by a word.
            profile: How the person is seen, without the time; or what tells it, of the connection, when it is needed.

        Raises:
            ChatError: ``bad-name``, ``name-taken``, ``not-ready``.
        """
        name = clean_new_name(name, self._hub.chosen.server)
        if stay is not None:
            self.stay, self.arrived = stay, {}
        self._since = self._now
        if callable(profile):
            self._face, self._seen = profile, None
        else:
            self.profile = (profile or self.profile)._replace(since=self._since)
        token = await self._hub.people.claim(name, self, resumable=resumable)
        if self._outlet is None:
            self._hub.people.release(self, name, token)
            raise lost()
        self.name = name
        self.token = token
        self._actor = None
        self._hub.people.watching.changed(name)

    async def rename(self, name: str) -> None:
        """Take another name.

        Raises:
            ChatError: ``bad-name``, ``name-taken``, ``not-ready``.
        """
        self._may("rename")
        name = clean_new_name(name, self._hub.chosen.server)
        await self._hub.people.rename(self, name)
        if not self.name:
            # The session has ended meanwhile.
            self._hub.people.release(self, name, "")
            raise lost()
        # Also if it is only lost: whoever takes it up has the name that it is registered with.
        before, self.name = self.name, name
        self.token = self._hub.people.rekey(self)
        for each in (before, name):
            self._hub.people.watching.changed(each)
        self._actor = None
        seen, self.profile = self.profile, self.profile._replace(since=self._now)
        self._hub.people.seen_anew(name, self.profile)
        rooms = [room for room, _ in self._memberships.values()]
        for room, member in self._memberships.values():
            room.charter.renamed(member.name, name)
            room.presence.renamed(member, name)
        step = Step(StepKind.NICK, "", before, source(before, seen), self.profile, name, at=self._now)
        self._hub.announcer.step(step, rooms)
        for room in rooms:
            self._hub.announcer.changed(room)

    def end(self) -> None:
        """The session is about to be closed, when all that was said is answered: nobody takes it up any more."""
        self._hub.people.revoke(self.token)
        self.token = ""

    def close(self, why: str = "", *, is_own: bool = True) -> None:
        """Leave every room with a parting word, and give the name back. Closing again does nothing.

        Args:
            why: The word.
            is_own: Whether it is the person's.
        """
        self._keep_profile()
        self._outlet = None
        left = [self._let_go(name, why) for name in list(self._memberships)]
        if left:
            is_said = is_own and why and self.profile.door != "irc"
            text = f"Quit: {why}" if is_said else why or _CLOSED
            self._announce(StepKind.QUIT, [room for room, _ in left], cut(text, MAX_WHY_BYTES))
            for room, heir in left:
                self._left(room, heir)
        if self.name:
            self._hub.people.back(self)
            name, self.name = self.name, ""
            self._hub.people.release(self, name, self.token)
            self._hub.people.watching.changed(name)
            self._actor = None

    def lose(self) -> None:
        """The connection is lost: wait to be resumed, or end at once if that can't be."""
        if self.token and self.name:
            self._detach()
            self._hub.people.linger(self)
        else:
            self.close()

    def _keep_profile(self) -> None:
        """The connection will be there no more to be asked."""
        self.profile = self.profile

    def _detach(self) -> None:
        """Show nothing any more."""
        self._keep_profile()
        self._outlet = None
        for _, member in self._memberships.values():
            member.outlet = None
            member.cursor = GONE

    async def arrive(self, arrival: Arrival, format_: Format) -> None:
        """Go on with a session that was lost on another node; nothing of a room is shown until `join`.

        The name is this session's already (`People.adopt`). A room that can't be opened now is entered by the
        `join` that comes.

        Raises:
            ChatError: Another connection has taken the session up meanwhile.
        """
        outlet = self._outlet
        self.name = arrival.name
        self.token = arrival.token
        self.profile = arrival.profile or self.profile
        self._actor = None
        try:
            for name in arrival.rooms:
                with contextlib.suppress(ChatError):
                    await self._return_to(name, format_)
        except BaseException:
            # The connection is gone; then the session is as any other that has lost it.
            if self._outlet is outlet:
                self.lose()
            raise
        if self._outlet is not outlet:
            raise lost()

    async def _return_to(self, name: str, format_: Format) -> None:
        room = await self._hub.rooms.open(name)
        room.entering -= 1
        if self.name and room.name not in self._memberships:
            if room.presence.arrived(self._put(room, format_)):
                self._announce(StepKind.JOIN, [room])
            self._hub.announcer.changed(room)
        self._hub.forget_if_idle(room)

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:
        """The name is somebody else's, or the session goes on at another node: let go of all, and of the connection."""
        outlet = self._outlet
        self._keep_profile()
        self._outlet = None
        if is_moved:
            memberships, self._memberships = self._memberships, {}
            for room, member in memberships.values():
                room.presence.departed(member)
                room.audience.remove(member)
                self._hub.forget_if_idle(room)
        self.close()
        if outlet is not None:
            outlet.evicted(code, text)

    async def undergo(self, deed: Deed) -> None:
        """Have done to it what another person does.

        Raises:
            ChatError: ``not-here`` while the connection is lost, ``not-member``.
        """
        outlet = self._outlet
        if deed.kind is DeedKind.KILL:
            self.close(f"Killed ({deed.by} ({deed.text}))", is_own=False)
            if outlet is not None:
                outlet.killed(deed.by, deed.text)
        elif deed.kind is DeedKind.REMOVE:
            self._removed(deed)
        elif outlet is None:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        elif deed.kind is DeedKind.INVITE:
            room = self._hub.rooms.get(deed.room)
            if room is not None:
                room.charter.invite(self.name, self.profile.since)
            else:
                # Its members are on other nodes.
                self._invited_to(deed.room)
            outlet.invited(deed.by, deed.room)
        elif "w" in self.profile.modes:
            outlet.wallops(deed.by, deed.text)

    def _removed(self, deed: Deed) -> None:
        if deed.room not in self._memberships:
            raise ChatError("not-member", f"{self.name} is not in #{deed.room}.")
        room, heir = self._let_go(deed.room, f"removed by {deed.by}" + (f": {deed.text}" if deed.text else ""))
        seen = self._hub.people.source(deed.by, self._now)
        step = Step(StepKind.KICK, room.name, deed.by, seen, None, deed.text, self.name, at=self._now)
        self._hub.announcer.step(step, [room])
        self._left(room, heir)
        if self._outlet is not None:
            self._outlet.removed(deed.room, deed.by, deed.text)

    def notify(self, text: str) -> None:
        """Tell a human a sentence about the server."""
        if self._outlet is not None:
            self._outlet.notify(text)

    def take_up(self, outlet: Listener) -> Listener | None:
        """Go on with another connection; nothing of a room is shown until `join`.

        Returns:
            The connection that the session had, if that was not known to be lost.
        """
        before = self._outlet
        self._detach()
        self._outlet = outlet
        return before
