"""The operator's tool, ``chatroom-admin``: what is done to a log while no daemon runs on it."""
