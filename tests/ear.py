"""A connection that is not there: what a session shows to it and tells it, in the order in which it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.events import Kind

if TYPE_CHECKING:
    from twistedchat.errors import ChatError
    from twistedchat.formats.base import Page
    from twistedchat.people.base import Named
    from twistedchat.stores.base import Stored

__all__ = ["Ear"]


class Ear:
    """An outlet, and a receipt.

    Attributes:
        full: Whether it takes nothing.
        broken: Whether it raises at receipts.
        heard: What it was told, and shown, as words.
        seqs: Of the events that it was shown, by room.
        pages: How many pages it was shown.
    """

    def __init__(self) -> None:
        self.full = self.broken = False
        self.heard: list[str] = []
        self.seqs: dict[str, list[int]] = {}
        self.pages = 0

    def show(self, page: Page) -> bool:
        if not self.full:
            self.pages += 1
            for event in page.events:
                self.heard.append(f"shown {event.text}")
                self.seqs.setdefault(event.room, []).append(event.seq)
        return not self.full

    def show_presence(self, data: bytes) -> bool:
        if data and not self.full:
            self.heard.append(f"presence {data.decode().strip()}")
        return not self.full

    def show_private(self, sender: Named, text: str, at: int, kind: Kind, tags: str) -> bool:
        if not self.full:
            manner = "" if kind is Kind.SAY else f" ({kind})"
            self.heard.append(f"{sender.name} tells{manner} at {at}: {text}{tags}")
        return not self.full

    def invited(self, by: str, room: str) -> None:
        self.heard.append(f"{by} invites to {room}")

    def removed(self, room: str, by: str, why: str) -> None:
        self.heard.append(f"{by} removes from {room}: {why}")

    def caught_up(self, room: str) -> None:
        """Nothing waits for it."""

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        self.heard.append(f"{room} can't be read{', ever' if passed_over else ''}")

    def wallops(self, by: str, text: str) -> None:
        self.heard.append(f"{by} tells all: {text}")

    def killed(self, by: str, why: str) -> None:
        self.heard.append(f"killed by {by}: {why}")

    def evicted(self, code: str, text: str) -> None:
        self.heard.append(f"evicted: {code}")

    def notify(self, text: str) -> None:
        self.heard.append(f"notice: {text}")

    def log_lost(self, room: str) -> None:
        self.heard.append(f"{room} has lost its end")

    def fault(self) -> None:
        self.heard.append("fault")

    def stored(self, tag: object, stored: Stored) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.heard.append(f"stored {tag} as {stored.event.seq}{'' if stored.fresh else ' again'}")

    def refused(self, tag: object, error: ChatError) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.heard.append(f"refused {tag}: {error.code}")
