"""The one exception that means: the peer asked for something that can't be done.

Must not know who is asking or how the answer is shown.
"""

from __future__ import annotations

__all__ = ["ChatError"]


class ChatError(Exception):
    """What a peer did wrong, or what can't be done for it now.

    Pure code raises it; exactly one place in each door turns it into an answer.

    Args:
        code: A stable word for programs, such as ``name-taken``; docs/protocol.md lists them all.
        text: A sentence for people that says what is wrong and what to do.
        facts: Further fields of the answer to a program, such as ``free_in=48``.
    """

    def __init__(self, code: str, text: str, **facts: object) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.facts = facts
