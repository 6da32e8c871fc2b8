"""How many people a chat server can take: measured beside others, drawn, and told with its doubts.

``python -m benchmarks`` runs everything; ``python -m benchmarks --help`` tells the rest. The servers
run on one core, the load generator on another, everything on loopback.
"""
