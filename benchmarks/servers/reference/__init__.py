"""Small servers to compare with: each only hands lines on, and stores nothing.

All speak a part of the chat room's plain text: the first line is a name and enters the lobby,
``/join #room`` goes to another room, any other line is shown to everybody there.
"""
