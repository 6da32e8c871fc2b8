-- Version 2 of the schema: tags of lines; logs that are put away.
-- A node of the version before, that runs already, goes on with the functions that it knows until it is restarted.

ALTER TABLE chat.events ADD COLUMN tags text COLLATE "C"; -- as IRC writes them; null for none

ALTER TABLE chat.rooms
    ADD COLUMN hidden bigint NOT NULL DEFAULT 0,       -- up to this seq the log is put away
    ADD COLUMN is_shut boolean NOT NULL DEFAULT false; -- closed: put away when the last of its members has left
CREATE INDEX rooms_shut ON chat.rooms (name) WHERE is_shut;

-- Made again with one column more.
DROP FUNCTION IF EXISTS chat.page(text, bigint, bigint, bigint, bigint, boolean);
