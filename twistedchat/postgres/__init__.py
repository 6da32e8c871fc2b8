"""PostgreSQL, driven on the reactor: for many nodes that share their rooms."""
