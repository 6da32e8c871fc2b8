"""Tells twistd that there is a chatroom; names the program by a string, so that nothing of it is imported."""

from twisted.application.service import ServiceMaker

chatroom = ServiceMaker(
    "chatroom", "twistedchat.service", "A chat room for telnet, nc and programs that never loses a line.", "chatroom"
)
