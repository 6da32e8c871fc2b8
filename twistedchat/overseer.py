"""The gate's half for operators of the server: becoming one, ending a session, telling all who want to hear it.

Knows who has which password, and the register of persons. Must not know any door.
"""

from __future__ import annotations

from twistedchat.errors import ChatError
from twistedchat.people.base import Deed, DeedKind
from twistedchat.ruler import MAX_WHY_BYTES, Ruler
from twistedchat.text import cut

__all__ = ["Overseer"]


class Overseer(Ruler):
    """A person, as one who may be an operator of the server.

    Args:
        hub: The server's state.
        outlet: The connection.
    """

    __slots__ = ()

    async def oper(self, name: str, password: str) -> None:
        """Become an operator of the server.

        Args:
            name: As it stands in the file of operators.
            password: Its password.

        Raises:
            ChatError: ``no-operators``, ``wrong-password``, ``try-later``.
        """
        self._may("oper")
        operators = self._hub.chosen.operators
        if operators is None:
            raise ChatError(
                "no-operators", "Nobody can become an operator here: the server was started without --oper."
            )
        await operators.check(self, name, password)
        self._check_still_here()
        if "o" not in self.profile.modes:
            self.set_profile(self.profile._replace(modes="".join(sorted(f"{self.profile.modes}o"))))

    async def kill(self, who: str, why: str = "") -> str:
        """End somebody's session; that person is told so, and gone.

        Returns:
            The name of that person, as it was spelled.

        Raises:
            ChatError: ``not-operator``, ``bad-name``, ``not-here``.
        """
        self._may("kill")
        person = await self._person(who)
        self._check_still_here()
        who = person.name
        await person.undergo(Deed(DeedKind.KILL, self.name, "", cut(why, MAX_WHY_BYTES)))
        return who

    async def wallops(self, text: str) -> None:
        """Tell something to all who want to hear it.

        Raises:
            ChatError: ``not-operator``, ``empty-text``.
        """
        self._may("wallops")
        if not text:
            raise ChatError("empty-text", "There is nothing to say: give a text.")
        await self._hub.people.tell_all(Deed(DeedKind.WALLOPS, self.name, "", text))
