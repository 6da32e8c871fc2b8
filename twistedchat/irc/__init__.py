"""The IRC door: what an IRC client sends and is sent. docs/protocol.md says what it may rely on."""
