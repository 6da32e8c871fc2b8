"""A folder for ``PYTHONPATH``: see `sitecustomize`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SITE"]

SITE = Path(__file__).parent
