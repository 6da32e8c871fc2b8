-- Version 3 of the schema: how people are seen by others; ranks and rules of rooms; what else goes to other nodes.

-- As people/asking.py writes it: user, host, real, away, modes, since, door, address.
ALTER TABLE chat.people
    ADD COLUMN profile json,
    ADD COLUMN arrived json,    -- by room: up to which seq what was shown is known to have arrived
    ADD COLUMN stay_ms bigint;  -- how long a lost session stays; null: as long as one that has a random token

-- Ranks end with the membership. In the order of number people have entered.
ALTER TABLE chat.here
    ADD COLUMN rank text COLLATE "C" NOT NULL DEFAULT '', -- letters of o and v
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;

-- The rules of rooms that somebody is in, unless they are those of a new room: of n it is kept that it is off.
CREATE TABLE chat.rules (
    room text COLLATE "C" NOT NULL,
    letter text COLLATE "C" NOT NULL,
    param text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL, -- has set it
    at bigint NOT NULL,            -- then
    number bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (room, letter, param)
);
