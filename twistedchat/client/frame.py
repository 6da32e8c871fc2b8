"""The full screen's windows and keys, as prompt_toolkit wants them.

prompt_toolkit runs on Twisted's asyncio reactor: its input, its timers and its drawing are calls of the
same loop as our sockets. Must not know what is shown, nor what a key is for: it asks a `FrameDelegate`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol, cast

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, HSplit, Layout, Window
from prompt_toolkit.layout.controls import FormattedTextControl, UIContent, UIControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import SearchToolbar
from twisted.internet.defer import Deferred
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyPressEvent

    from twistedchat.client.paint import Fragments

__all__ = ["Frame", "FrameDelegate"]

REDRAW_SECONDS = 0.03
"""Least interval between two drawings of the screen, in seconds, however fast lines come.

33 times a second looks steady to a person. Source: chosen.
"""

STYLE = Style.from_dict(
    {
        "time": "fg:ansibrightblack",
        "note": "fg:ansibrightblack italic",
        "pending": "fg:ansibrightblack",
        "notice": "bold",
        "called": "bold reverse",
        "day": "fg:ansibrightblack",
        "mark": "fg:ansired",
        "status": "reverse",
        "status.unread": "reverse bold",
    }
)


class FrameDelegate(Protocol):
    """What the frame asks: what is shown, and what a key does."""

    def visible(self, width: int, height: int) -> list[Fragments]:
        """The rows to show: at most ``height``, each at most ``width`` columns."""
        ...

    def status(self) -> Fragments:
        """The line above the one that is typed."""
        ...

    def typed(self, text: str) -> None:
        """A line was entered."""
        ...

    def complete(self, before: str) -> tuple[int, str]:
        """Tab: how many characters before the cursor are to be replaced, and by what."""
        ...

    def scroll(self, pages: int) -> None:
        """Read ``pages`` pages back, or forward if negative."""
        ...

    def scroll_down(self) -> None:
        """Follow what comes."""
        ...

    def switch(self, step: int) -> None:
        """Turn to the next room, or the one before."""
        ...

    def switch_to(self, place: int) -> None:
        """Turn to a room by its place, from 0."""
        ...

    def interrupted(self, *, typing: bool) -> None:
        """Ctrl-C; ``typing``: there was something in the line."""
        ...

    def finish(self) -> None:
        """Ctrl-D."""
        ...


class _Rows(UIControl):
    """Shows the rows that the delegate gives it, at the bottom of their window."""

    def __init__(self, visible: Callable[[int, int], list[Fragments]]) -> None:
        self._visible = visible

    @override
    def create_content(self, width: int, height: int) -> UIContent:
        rows = self._visible(max(2, width), height)
        above = height - len(rows)
        return UIContent(
            lambda number: cast("StyleAndTextTuples", rows[number - above] if number >= above else []),
            line_count=height,
            show_cursor=False,
        )


class Frame:
    """The windows: the room, its status, and the line that is typed.

    Nothing is written to the terminal before `run`.

    Args:
        delegate: Knows what is shown.
        coloured: Whether to use colours.
    """

    def __init__(self, delegate: FrameDelegate, *, coloured: bool = True) -> None:
        self._delegate = delegate
        self._coloured = coloured
        self._buffer = Buffer(history=InMemoryHistory(), multiline=False, accept_handler=self._accept)
        self._application: Application[None] | None = None

    async def run(self) -> None:
        """Draw, and take keys, until `close`; the terminal is then as it was found."""
        self._application = Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=STYLE,
            full_screen=True,
            color_depth=None if self._coloured else ColorDepth.DEPTH_1_BIT,
            min_redraw_interval=REDRAW_SECONDS,
            # The seconds until the next try to connect go by.
            refresh_interval=1.0,
        )
        running = asyncio.ensure_future(self._application.run_async(handle_sigint=False))
        # The terminal may be gone.
        with contextlib.suppress(EOFError, OSError):
            await Deferred.fromFuture(running)

    def close(self) -> None:
        """End `run`."""
        if self._application is not None and self._application.is_running:
            self._application.exit()

    def redraw(self) -> None:
        """Something has changed."""
        if self._application is not None:
            self._application.invalidate()

    def ring(self) -> None:
        """Ring the bell."""
        if self._application is not None:
            self._application.output.bell()

    # -- the layout ------------------------------------------------------------------------------

    def _layout(self) -> Layout:
        search = SearchToolbar()
        line = Window(
            BufferControl(
                self._buffer,
                search_buffer_control=search.control,
                input_processors=[BeforeInput("> ")],
            ),
            height=Dimension(min=1, max=6),
            wrap_lines=True,
            dont_extend_height=True,
        )
        status = Window(
            FormattedTextControl(lambda: cast("StyleAndTextTuples", self._delegate.status())),
            height=1,
            style="class:status",
        )
        searching = ConditionalContainer(search, filter=is_searching)
        return Layout(
            HSplit([Window(_Rows(self._delegate.visible), wrap_lines=False), status, line, searching]),
            focused_element=line,
        )

    # -- keys ------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        typing = has_focus(self._buffer)
        empty = Condition(lambda: not self._buffer.text)
        keys.add("pageup")(lambda _: self._delegate.scroll(1))
        keys.add("pagedown")(lambda _: self._delegate.scroll(-1))
        keys.add("end", filter=typing & empty)(lambda _: self._delegate.scroll_down())
        keys.add("escape", "end")(lambda _: self._delegate.scroll_down())
        keys.add("c-c")(lambda _: self._interrupted())
        keys.add("c-d", filter=typing & empty)(lambda _: self._delegate.finish())
        keys.add("c-l")(lambda event: event.app.renderer.clear())
        keys.add("escape", "up")(lambda _: self._delegate.switch(-1))
        keys.add("escape", "down")(lambda _: self._delegate.switch(1))
        for number in range(1, 10):
            keys.add("escape", str(number))(lambda _, number=number: self._delegate.switch_to(number - 1))
        keys.add(Keys.BracketedPaste, filter=typing)(self._pasted)
        keys.add("tab", filter=typing)(lambda _: self._complete())
        return keys

    def _accept(self, buffer: Buffer) -> bool:
        self._delegate.typed(buffer.text)
        return False

    def _pasted(self, event: KeyPressEvent) -> None:
        """Many lines are as if typed: each but the last is entered."""
        *lines, rest = event.data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            self._buffer.insert_text(line)
            self._buffer.validate_and_handle()
        self._buffer.insert_text(rest)

    def _complete(self) -> None:
        count, text = self._delegate.complete(self._buffer.document.text_before_cursor)
        self._buffer.delete_before_cursor(count)
        self._buffer.insert_text(text)

    def _interrupted(self) -> None:
        typing = bool(self._buffer.text)
        self._buffer.reset()
        self._delegate.interrupted(typing=typing)
