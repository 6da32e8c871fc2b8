"""Scripts that let a shell complete the client's options, made from its argument parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["SHELLS", "completion_script"]

SHELLS = ("bash", "zsh", "fish")
"""Shells for which there is a script. Source: what the tests run."""


def completion_script(shell: str, parser: argparse.ArgumentParser) -> str:
    """A script for one of `SHELLS`."""
    actions = [action for action in parser._actions if action.option_strings]  # noqa: SLF001  there is no other way
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](actions)


def _bash(actions: list[argparse.Action]) -> str:
    words = " ".join(option for action in actions for option in action.option_strings)
    return f"""\
_chatroom() {{
    local word=${{COMP_WORDS[COMP_CWORD]}}
    case ${{COMP_WORDS[COMP_CWORD-1]}} in
        --state) COMPREPLY=($(compgen -f -- "$word")); return ;;
        --completion) COMPREPLY=($(compgen -W "{" ".join(SHELLS)}" -- "$word")); return ;;
    esac
    case $word in
        -*) COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;
        *) COMPREPLY=($(compgen -A hostname -- "$word")) ;;
    esac
}}
complete -F _chatroom chatroom
"""


def _zsh(actions: list[argparse.Action]) -> str:
    lines = []
    for action in actions:
        for option in action.option_strings:
            value = "" if action.nargs == 0 else ":value:" + ("_files" if option == "--state" else "")
            lines.append(f"    '{option}[{_quoted(action)}]{value}' \\")
    listed = "\n".join(lines)
    return f"#compdef chatroom\n_arguments \\\n{listed}\n    '*:host:_hosts'\n"


def _fish(actions: list[argparse.Action]) -> str:
    lines = []
    for action in actions:
        names = " ".join(
            f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}" for option in action.option_strings
        )
        value = "" if action.nargs == 0 else " -r" if "--state" in action.option_strings else " -x"
        lines.append(f"complete -c chatroom {names}{value} -d '{_quoted(action)}'")
    return "complete -c chatroom -f -a '(__fish_print_hostnames)'\n" + "\n".join(lines) + "\n"


def _quoted(action: argparse.Action) -> str:
    return (action.help or "").replace("'", "").replace("[", "(").replace("]", ")").replace(":", " -")
