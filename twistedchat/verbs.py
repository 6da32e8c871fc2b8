"""The one table of verbs: what can be asked of a session, by what words and ops, and with which fields.

Slash words at telnet and in the bundled client, ``/help``, the ops of JSON lines and the tables of
docs/protocol.md all come from `VERBS`, so that they can't differ. Knows no session, door or client:
each binds a verb's name to what it does there.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from twistedchat.errors import ChatError
from twistedchat.text import listing, safe

__all__ = [
    "OPS",
    "VERBS",
    "WORDS",
    "Field",
    "FieldType",
    "Verb",
    "find_word",
    "help_lines",
    "ops_table",
    "words_table",
]


class FieldType(enum.Enum):
    """How a field of an op is written in JSON. The value stands in docs/protocol.md."""

    NAME = "NAME"  # of a person; a string
    ROOM = "ROOM"  # with or without #; a string
    TEXT = "TEXT"  # a string
    TOKEN = "TOKEN"  # noqa: S105  a session's, or a line's key; a string
    SEQ = "SEQ"  # a whole number from 0
    COUNT = "N"  # a whole number from 1
    KIND = "KIND"  # "say", "me" or "notice"
    TAGS = "TAGS"  # an object of strings, {"+key":"value"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an op.

    Attributes:
        name: Its key in the JSON object.
        type: What its value is.
        optional: Whether it may be absent or null.
    """

    name: str
    type: FieldType
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be asked of a session, or of a reader's own screen.

    Attributes:
        name: By which `rules.may` is asked and each door binds it; also the op, where there is one.
        words: What a person types behind ``/``, the first shown in ``/help``; () where there is none.
        usage: What may come behind the word.
        summary: What it does, at most 48 characters, for ``/help``.
        fields: Of the op of JSON lines; None where there is no op.
        answer: What the op is answered, for docs/protocol.md.
        nameless: Whether it may be asked before a name was given.
    """

    name: str
    words: tuple[str, ...]
    usage: str
    summary: str
    fields: tuple[Field, ...] | None = None
    answer: str = ""
    nameless: bool = False

    @property
    def title(self) -> str:
        """How to type it."""
        return f"/{self.words[0]} {self.usage}".rstrip()


_NAME = Field("name", FieldType.NAME)
_ROOM = Field("room", FieldType.ROOM)
_TEXT = Field("text", FieldType.TEXT)
_KEY = Field("key", FieldType.TOKEN, optional=True)
_TAGS = Field("tags", FieldType.TAGS, optional=True)
_OK = '`{"type":"ok","re":…}`'
_STORED = '`{"type":"ok","re":…,"room":…,"seq":N}` once it is stored; with `"again":true` when that key already stood'


def _optional(name: str, type_: FieldType) -> Field:
    return Field(name, type_, optional=True)


VERBS: tuple[Verb, ...] = (
    Verb("help", ("help", "h", "?"), "[COMMAND]", "lists the commands, or tells about one", nameless=True),
    Verb(
        "hello",
        (),
        "",
        "gives a name, or takes up a session",
        (_NAME, _optional("resume", FieldType.TOKEN)),
        '`{"type":"welcome","re":…,"name":…,"session":TOKEN,"resumed":true/false,"server":…,"version":…,"log":…}`',
        nameless=True,
    ),
    Verb(
        "rename",
        ("nick", "name"),
        "NAME",
        "gives you another name",
        (_NAME,),
        '`{"type":"ok","re":…,"name":…}`',
    ),
    Verb(
        "join",
        ("join", "j"),
        "#ROOM [KEY]",
        "enters a room, and talks there from then on",
        (_ROOM, _optional("after", FieldType.SEQ), _optional("key", FieldType.TEXT)),
        '`{"type":"joined","re":…,"room":…,"seq":LAST,"topic":…,"log":…,"count":N,"members":[NAME, …]}`, '
        "then the events after `after`, or else the last 20, then live ones",
    ),
    Verb("leave", ("leave", "part"), "[#ROOM]", "leaves a room", (_ROOM,), _OK),
    Verb(
        "rooms",
        ("rooms", "list"),
        "",
        "lists the rooms",
        (_optional("after", FieldType.ROOM),),
        '`{"type":"rooms","re":…,"rooms":[{"name":…,"members":N,"seq":N,"topic":…}, …]}`',
    ),
    Verb(
        "who",
        ("who", "names"),
        "[#ROOM]",
        "tells who is in a room",
        (_ROOM, _optional("after", FieldType.NAME)),
        '`{"type":"who","re":…,"room":…,"count":N,"members":[NAME, …]}`',
    ),
    Verb(
        "tell",
        ("msg", "tell", "query", "w"),
        "NAME TEXT",
        "says something to one person alone",
        (Field("to", FieldType.NAME), _TEXT, _optional("kind", FieldType.KIND)),
        _OK,
    ),
    Verb("reply", ("reply", "r"), "TEXT", "answers the last private line"),
    Verb("say", ("say",), "TEXT", "says something, whatever it begins with", (_ROOM, _TEXT, _KEY, _TAGS), _STORED),
    Verb("me", ("me", "action"), "TEXT", "says what you do: * you TEXT", (_ROOM, _TEXT, _KEY, _TAGS), "the same"),
    Verb("notice", (), "", "says something that no program answers", (_ROOM, _TEXT, _KEY, _TAGS), "the same"),
    Verb(
        "topic",
        ("topic",),
        "[TEXT | -]",
        "shows, sets or (-) clears what it is about",
        (_ROOM, _TEXT, _KEY),
        "the same; an empty text clears it",
    ),
    Verb(
        "history",
        ("history",),
        "[N] [before SEQ]",
        "shows what was said earlier",
        (
            _ROOM,
            _optional("before", FieldType.SEQ),
            _optional("after", FieldType.SEQ),
            _optional("limit", FieldType.COUNT),
        ),
        '`{"type":"history","re":…,"room":…,"events":[…]}`: oldest first, at most 500; with neither bound the newest. '
        "Membership is not needed",
    ),
    Verb("since", ("since",), "SEQ | HH:MM", "shows again all that was said since then"),
    Verb("ignore", ("ignore",), "[NAME]", "shows nothing NAME says; alone, whom you ignore"),
    Verb("unignore", ("unignore",), "NAME", "ends that"),
    Verb("set", ("set",), "[NAME VALUE]", "seq, presence, bell: on or off; zone: ZONE"),
    Verb("ping", ("ping",), "", "tells whether the server answers", (), '`{"type":"pong","re":…}`', nameless=True),
    Verb(
        "quit",
        ("quit", "exit", "bye"),
        "[WHY]",
        "leaves, when all that you said is stored",
        (_optional("text", FieldType.TEXT),),
        "the connection closes after all that was accepted is stored, shown and answered",
        nameless=True,
    ),
)
"""All of them, in the order of ``/help``."""

WORDS = {word: verb for verb in VERBS for word in verb.words}
"""What can be typed behind ``/``."""

OPS = {verb.name: verb for verb in VERBS if verb.fields is not None}
"""The ops of JSON lines."""


def find_word(word: str) -> Verb:
    """The verb that is typed so, without ``/``, in any case.

    Raises:
        ChatError: ``no-such-command``; the sentence is safe on a terminal.
    """
    verb = WORDS.get(word.lower())
    if verb is None:
        raise ChatError(
            "no-such-command",
            f"There is no command /{safe(word[:24])}; /help lists them. To say a line that begins with /, type //.",
        )
    return verb


def help_lines(word: str = "") -> list[str]:
    """What ``/help`` tells, a line each, of at most 76 characters.

    Args:
        word: Tell about this command alone, with or without ``/``; "" lists all.

    Raises:
        ChatError: ``no-such-command``.
    """
    if word:
        verb = find_word(word.lstrip("/"))
        also = f" (also {listing([f'/{other}' for other in verb.words[1:]])})" if verb.words[1:] else ""
        return [f"{verb.title}: {verb.summary}{also}"]
    typed = [verb for verb in VERBS if verb.words]
    width = max(len(verb.title) for verb in typed)
    return [
        *(f"{verb.title:{width}}  {verb.summary}" for verb in typed),
        "Anything else is said in the room; //text says /text.",
    ]


def words_table() -> str:
    """The commands as a table in Markdown, for docs/protocol.md."""
    rows = ["| command | also | what it does |", "| --- | --- | --- |"]
    for verb in VERBS:
        if verb.words:
            also = ", ".join(f"`/{word}`" for word in verb.words[1:])
            title = verb.title.replace("|", "\\|")
            rows.append(f"| `{title}` | {also} | {verb.summary} |")
    return "\n".join(rows)


def ops_table() -> str:
    """The ops of JSON lines as a table in Markdown, for docs/protocol.md; ``?`` marks an optional field."""
    rows = ["| client sends | means | answer |", "| --- | --- | --- |"]
    for name, verb in OPS.items():
        fields = [f'"op":"{name}"'] + [
            f'"{field.name}":{field.type.value}{"?" if field.optional else ""}' for field in verb.fields or ()
        ]
        rows.append(f"| `{{{','.join(fields)}}}` | {verb.summary} | {verb.answer} |")
    return "\n".join(rows)
