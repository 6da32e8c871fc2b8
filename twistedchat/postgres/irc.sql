-- Version 3 of the schema: how people are seen by others; ranks and rules of rooms; what else goes to other nodes.

-- As people/asking.py writes it: user, host, real, away, modes, since, door, address.
ALTER TABLE chat.people ADD COLUMN profile json;
