"""All commands of an IRC client: the parts of the table, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.asking import ASKING
from twistedchat.irc.batches import BATCHES
from twistedchat.irc.entering import ROOMS
from twistedchat.irc.history import HISTORY
from twistedchat.irc.monitor import MONITORING
from twistedchat.irc.oneself import ONESELF
from twistedchat.irc.opers import OPERATING
from twistedchat.irc.ranks import RULING
from twistedchat.irc.registration import REGISTRATION
from twistedchat.irc.talk import TALK

if TYPE_CHECKING:
    from twistedchat.irc.commands import Command

__all__ = ["COMMANDS"]

COMMANDS: dict[str, Command] = (
    REGISTRATION | ROOMS | TALK | ASKING | RULING | OPERATING | ONESELF | MONITORING | HISTORY | BATCHES
)
"""Each by its word, in capitals."""
