"""A chat server that is started with one command, entered with anything, and never loses a line.

The package's layers, from the bottom up, are drawn in ``docs/architecture.md``.
"""

from importlib.metadata import version

__version__ = version("twistedchat")
