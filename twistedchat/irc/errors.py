"""The one exception that is answered by a standard reply of IRCv3.

Knows the parts of such a reply. Must not know who is answered, nor how it is written.
"""

from __future__ import annotations

__all__ = ["FailError"]


class FailError(Exception):
    """What a client asked for that can't be done, as ``FAIL command code context :text`` says it.

    Attributes:
        command: The command that failed.
        code: A stable word for programs.
        context: Parameters between the code and the text: mostly words that the client sent.
        text: A sentence for people.
    """

    def __init__(self, command: str, code: str, *context: str, text: str) -> None:
        super().__init__(command, code, context, text)
        self.command = command
        self.code = code
        self.context = context
        self.text = text
