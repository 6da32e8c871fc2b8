"""The load generator: a process of its own, on a core of its own, that must outrun the servers.

One epoll loop and plain sockets. What it is to do comes as one JSON object on standard input; what
it saw goes as JSON lines to standard output.
"""
