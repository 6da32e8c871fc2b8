"""What can become of a call to the database instead of rows. Knows no connection."""

from __future__ import annotations

from twistedchat.stores.base import StoreError

__all__ = ["AnswerError", "LapsedError", "LostError", "NameLostError"]


class LostError(StoreError):
    """There is no answer: whether the call was done is not known.

    The connection was lost or could not be made, or the time limit has passed.
    """


class AnswerError(StoreError):
    """The database has answered with an error: the call's transaction was rolled back.

    Args:
        message: One sentence for the operator.
        sqlstate: The five characters of the error's code, see PostgreSQL's manual, appendix A.
    """

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class LapsedError(StoreError):
    """The node's lease has lapsed: what it asked for was not done, and will not be."""


class NameLostError(StoreError):
    """The speaker's name is on another node by now: the line was not stored, and will not be."""
