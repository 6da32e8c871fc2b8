"""A room as a log with readers: one module for each part of it."""
