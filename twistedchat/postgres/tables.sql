-- Version 1 of the schema. Never changed once it was released: what comes later is a step of its own.
-- Times are milliseconds since 1970 by the database's clock (chat.now_ms).

CREATE TABLE chat.rooms (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    seq bigint NOT NULL DEFAULT 0,  -- the head: the last event's
    at bigint NOT NULL DEFAULT 0,   -- its time
    topic bigint NOT NULL DEFAULT 0 -- the seq of the last event that set a topic
) WITH (fillfactor = 50); -- so that a new head stays on its page and needs no new index entry

CREATE TABLE chat.events (
    room bigint NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL, -- NUL is shown as U+2400
    raw bytea,                      -- the text as it was sent, in UTF-8, if there is a NUL in it
    key text COLLATE "C",
    PRIMARY KEY (room, seq)
);
CREATE UNIQUE INDEX events_key ON chat.events (room, key) WHERE key IS NOT NULL;

-- Of two rooms that look alike the first one exists.
CREATE TABLE chat.alike (
    likeness text COLLATE "C" PRIMARY KEY,
    room bigint NOT NULL REFERENCES chat.rooms
);
CREATE INDEX alike_room ON chat.alike (room);

-- A row outlives its lease: the outcome of its last batch may still be asked for.
CREATE TABLE chat.nodes (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    until bigint NOT NULL,           -- the end of its lease
    batch bigint NOT NULL DEFAULT 0, -- the number of its last batch
    outcome text COLLATE "C" NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

INSERT INTO chat.nodes (id, name, until) VALUES ('-', 'nobody', 0); -- whose are people whom no node knows

CREATE TABLE chat.people (
    name text COLLATE "C" PRIMARY KEY,
    node text COLLATE "C" NOT NULL,
    token bytea UNIQUE,
    until bigint -- while the connection is lost: when the name is free again
);
CREATE INDEX people_node ON chat.people (node);

CREATE TABLE chat.names (
    likeness text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL REFERENCES chat.people ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX names_name ON chat.names (name);

-- When a name was given to somebody last, and by which node: so that a node that was cut off learns of it.
CREATE TABLE chat.given (
    likeness text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    at bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX given_name ON chat.given (name);

CREATE TABLE chat.here (
    room text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL REFERENCES chat.people ON UPDATE CASCADE ON DELETE CASCADE,
    PRIMARY KEY (room, name)
);
CREATE INDEX here_name ON chat.here (name);

CREATE TABLE chat.rosters (
    room text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL
);

-- Private lines on their way to another node.
CREATE TABLE chat.tells (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node text COLLATE "C" NOT NULL,
    to_name text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    raw bytea,
    at bigint NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX tells_node ON chat.tells (node, id);
