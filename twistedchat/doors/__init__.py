"""The ways in: each module knows one layer between a peer's bytes and a session's verbs."""
