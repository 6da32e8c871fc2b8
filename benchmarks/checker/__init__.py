"""Holds many nodes against the promises: a program of its own, which knows them by their ports and processes alone.

``python -m benchmarks.checker`` starts a database, nodes over it, and clients; lets them fail in every way of a
seeded schedule; and judges what every client was shown and told. ``--help`` tells the rest.
"""
