"""The bundled client: a person's in a terminal, a good citizen in a pipe, and a library for bots."""
