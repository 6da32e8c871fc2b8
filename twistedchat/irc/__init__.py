"""The IRC door: what an IRC client sends and is sent. docs/irc.md says what it may rely on."""
