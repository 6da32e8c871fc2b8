-- Functions of the log. They are replaced whenever a daemon finds others than its own.
--
-- Locks are taken in this order, so that no two nodes wait for each other: a node's own row; new rooms by name;
-- their likenesses; rooms by id.
--
-- Functions that are called often are in PL/pgSQL: those in SQL are planned anew at each call.

CREATE OR REPLACE FUNCTION chat.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- A node begins, or goes on: its lease ends so many milliseconds from now on.
CREATE OR REPLACE FUNCTION chat.begin(node text, node_name text, lease_ms bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO chat.nodes (id, name, until) VALUES (node, node_name, chat.now_ms() + lease_ms)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until
$$;

-- Makes rooms, each with the keys under which it counts; of those that look alike only the first gets its keys.
--   new_rooms              names
--   likenesses, alike_room each key, and the name of the room that wants it
CREATE OR REPLACE FUNCTION chat.make_rooms(new_rooms text[], likenesses text[], alike_room text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    claiming bigint[];
BEGIN
    -- Nobody need wait for the disk: the room's first line does.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO chat.rooms (name) SELECT name FROM unnest(new_rooms) AS name ORDER BY name COLLATE "C"
    ON CONFLICT DO NOTHING;
    WITH claimed AS (
        INSERT INTO chat.alike (likeness, room)
        SELECT asked.likeness, rooms.id
        FROM unnest(likenesses, alike_room) WITH ORDINALITY AS asked (likeness, name, place)
        JOIN chat.rooms ON rooms.name = asked.name
        WHERE NOT EXISTS (SELECT FROM chat.alike WHERE alike.room = rooms.id)
        ORDER BY asked.likeness COLLATE "C", place
        ON CONFLICT DO NOTHING RETURNING room
    ) SELECT array_agg(room) INTO claiming FROM claimed;
    -- A room counts under all its keys, or under none.
    DELETE FROM chat.alike USING chat.rooms
    WHERE alike.room = ANY (claiming) AND rooms.id = alike.room
    AND (SELECT count(*) FROM chat.alike AS found WHERE found.room = rooms.id)
        < (SELECT count(*) FROM unnest(alike_room) AS asked WHERE asked = rooms.name);
END $$;

-- The room that counts as the one that has these keys; null if there is none.
CREATE OR REPLACE FUNCTION chat.counts_as(likenesses text[]) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT alike.room FROM unnest(likenesses) WITH ORDINALITY AS asked (likeness, place)
        JOIN chat.alike ON alike.likeness = asked.likeness COLLATE "C"
        ORDER BY place LIMIT 1
    );
END $$;

-- The same; it comes to be.
CREATE OR REPLACE FUNCTION chat.open_room(room_name text, likenesses text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint := chat.counts_as(likenesses);
BEGIN
    IF found IS NULL THEN
        PERFORM chat.make_rooms(ARRAY[room_name], likenesses, array_fill(room_name, ARRAY[cardinality(likenesses)]));
        found := chat.counts_as(likenesses);
        -- Somebody was faster with a room that looks alike.
        DELETE FROM chat.rooms WHERE name = room_name AND id <> found AND seq = 0;
    END IF;
    RETURN coalesce(found, (SELECT id FROM chat.rooms WHERE name = room_name));
END $$;

-- The same, as it stands: its name, head, time of that, topic, and how many people are in it on other nodes.
CREATE OR REPLACE FUNCTION chat.opened(me text, room_name text, likenesses text[])
RETURNS TABLE (name text, seq bigint, at bigint, topic text, raw text, others bigint) LANGUAGE plpgsql AS $$
DECLARE
    room_id bigint := chat.open_room(room_name, likenesses);
BEGIN
    RETURN QUERY
    SELECT found.name, found.seq, found.at, topics.text, encode(topics.raw, 'hex'), chat.others_in(me, found.name)
    FROM chat.rooms AS found LEFT JOIN chat.events AS topics ON topics.room = found.id AND topics.seq = found.topic
        AND topics.seq > found.hidden
    WHERE found.id = room_id;
END $$;

-- Up to which seq a room's log is put away; volatile, so that it sees the room that was opened by the same statement.
CREATE OR REPLACE FUNCTION chat.hidden_of(room_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT hidden FROM chat.rooms WHERE name = room_name);
END $$;

-- The seq of the event that set a room's topic; null if that is put away, or there is none.
CREATE OR REPLACE FUNCTION chat.topic_of(room_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT topic FROM chat.rooms WHERE name = room_name AND topic > hidden);
END $$;

-- What became of a batch, as chat.append gives it; if that is open, it will never be stored.
CREATE OR REPLACE FUNCTION chat.burn(me text, number bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    mine chat.nodes;
BEGIN
    SELECT * INTO mine FROM chat.nodes WHERE id = me FOR NO KEY UPDATE;
    IF mine.batch = number THEN
        RETURN mine.outcome;
    END IF;
    UPDATE chat.nodes SET batch = number, outcome = 'burned' WHERE id = me AND batch < number;
    RETURN 'burned';
END $$;

-- Appends a batch of lines; asked again under the same number it gives the same answer, and appends nothing.
--   room_names, counts, topics  each room once: its name, how many lines it gets, the last of them that sets a topic, or 0
--   names                       whoever speaks, each once
--   room_of, place              of each line: its room's place in room_names; its own place among that room's lines
--   kinds, speakers, texts      of each line
--   keys, raws, tags            the same, with nulls; null if there are none at all
-- Gives JSON, and little of it: a node that has stopped reading must not hold up the others with what it has locked.
--   [now, [head before, ...], {room: time before, ...}, [[line, seq, at, is the same], ...], [line, ...]]
-- A head for each room; the time of those that are ahead of the clock; then the lines whose key stands, and those whose
-- speaker has lost the name: all others are stored, in their order. Rooms and lines are counted from 1.
-- Or "lapsed": the lease had ended; or "burned", see there. Nothing was stored, and never will be.
CREATE OR REPLACE FUNCTION chat.append(
    me text, number bigint, room_names text[], counts int[], topics int[], names text[],
    room_of int[], place int[], kinds text[], speakers text[], texts text[], keys text[], raws text[], tags text[]
) RETURNS text LANGUAGE plpgsql
-- A line is looked up by an index, however few there were when the plan was made.
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    mine record;
    now_ms bigint;
    ids bigint[];
    heads bigint[];
    times bigint[];
    lost text[];
    standing bigint[];
    again json := '[]';
    refused bigint[];
    late json := '{}';
    answer text;
BEGIN
    SELECT batch, until, outcome INTO mine FROM chat.nodes WHERE id = me FOR NO KEY UPDATE;
    IF mine.batch = number THEN
        RETURN mine.outcome;
    ELSIF mine.batch > number THEN
        RAISE EXCEPTION 'batch % comes after batch %', number, mine.batch USING ERRCODE = 'CH002';
    ELSIF mine.until IS NULL OR mine.until <= chat.now_ms() THEN
        UPDATE chat.nodes SET batch = number, outcome = 'lapsed' WHERE id = me;
        RETURN 'lapsed';
    END IF;

    SELECT array_agg(held.id ORDER BY held.place), array_agg(held.seq ORDER BY held.place),
        array_agg(held.at ORDER BY held.place)
    INTO ids, heads, times
    FROM (
        SELECT asked.place, rooms.id, rooms.seq, rooms.at
        FROM unnest(room_names) WITH ORDINALITY AS asked (name, place) JOIN chat.rooms ON rooms.name = asked.name
        ORDER BY rooms.id FOR NO KEY UPDATE OF rooms
    ) AS held;
    IF cardinality(ids) IS DISTINCT FROM cardinality(room_names) THEN
        RAISE EXCEPTION 'a room is not there' USING ERRCODE = 'CH001';
    END IF;
    now_ms := chat.now_ms();

    -- Statements of their own behind the locks: each sees what was committed until then.
    SELECT array_agg(name) INTO lost FROM (
        SELECT name FROM chat.people WHERE name = ANY (names) AND node <> me
        UNION ALL SELECT name FROM chat.given WHERE name = ANY (names) AND node <> me -- also if it has gone again
    ) AS others;
    IF keys IS NOT NULL THEN
        SELECT array_agg(asked.line) INTO standing
        FROM unnest(room_of, keys) WITH ORDINALITY AS asked (room, key, line)
        JOIN chat.events ON events.room = ids[asked.room] AND events.key = asked.key;
    END IF;

    IF lost IS NOT NULL OR standing IS NOT NULL THEN
        SELECT coalesce(json_agg(json_build_array(
            asked.line, seq, at,
            (events.kind, events.who, events.text) = (asked.kind, asked.who, asked.text)
                AND events.raw IS NOT DISTINCT FROM decode(asked.raw, 'hex')
                AND events.tags IS NOT DISTINCT FROM asked.tags
        )), '[]') INTO again
        FROM unnest(room_of, keys, kinds, speakers, texts, raws, append.tags) WITH ORDINALITY
            AS asked (room, key, kind, who, text, raw, tags, line)
        JOIN chat.events ON events.room = ids[asked.room] AND events.key = asked.key
        WHERE asked.line = ANY (standing);
        SELECT array_agg(asked.line) INTO refused
        FROM unnest(speakers) WITH ORDINALITY AS asked (who, line)
        WHERE asked.who = ANY (lost) AND asked.line <> ALL (coalesce(standing, '{}'));
        -- The others move up.
        SELECT array_agg(CASE WHEN is_left_out THEN 0 ELSE moved END ORDER BY line) INTO place FROM (
            SELECT line, is_left_out, row_number() OVER (PARTITION BY room, is_left_out ORDER BY line) AS moved
            FROM (
                SELECT line, room, line = ANY (coalesce(standing, '{}') || coalesce(refused, '{}')) AS is_left_out
                FROM unnest(room_of) WITH ORDINALITY AS asked (room, line)
            ) AS judged
        ) AS placed;
        SELECT array_agg(coalesce(count, 0) ORDER BY room), array_agg(coalesce(topic, 0) ORDER BY room)
        INTO counts, topics
        FROM generate_subscripts(room_names, 1) AS room LEFT JOIN (
            SELECT line.room, max(line.place) AS count, max(line.place) FILTER (WHERE line.kind = 'topic') AS topic
            FROM unnest(room_of, place, kinds) AS line (room, place, kind) GROUP BY line.room
        ) AS counted USING (room);
    END IF;

    INSERT INTO chat.events (room, seq, at, kind, who, text, raw, key, tags)
    SELECT ids[line.room], heads[line.room] + line.place,
        CASE WHEN times[line.room] <= now_ms THEN now_ms ELSE times[line.room] + line.place END,
        line.kind, line.who, line.text, decode(line.raw, 'hex'), line.key, line.tags
    FROM unnest(room_of, place, kinds, speakers, texts, raws, keys, append.tags)
        AS line (room, place, kind, who, text, raw, key, tags)
    WHERE line.place > 0;

    UPDATE chat.rooms SET
        seq = heads[grown.place] + grown.count,
        at = CASE WHEN times[grown.place] <= now_ms THEN now_ms ELSE times[grown.place] + grown.count END,
        topic = CASE WHEN grown.topic > 0 THEN heads[grown.place] + grown.topic ELSE rooms.topic END
    FROM unnest(ids, counts, topics) WITH ORDINALITY AS grown (id, count, topic, place)
    WHERE rooms.id = grown.id AND grown.count > 0;

    -- A notification has less than 8000 bytes; a name has at most 96.
    PERFORM pg_notify('chat', me || ' log ' || string_agg(name || ' ' || heads[grown.place] + grown.count, E'\n'))
    FROM unnest(room_names, counts) WITH ORDINALITY AS grown (name, count, place)
    WHERE grown.count > 0 GROUP BY grown.place / 50;

    IF now_ms < ANY (times) THEN
        SELECT json_object_agg(timed.place, timed.at) INTO late
        FROM unnest(times) WITH ORDINALITY AS timed (at, place) WHERE timed.at > now_ms;
    END IF;
    answer := json_build_array(now_ms, heads, late, again, coalesce(refused, '{}'))::text;
    UPDATE chat.nodes SET batch = number, outcome = answer WHERE id = me;
    RETURN answer;
END $$;

-- A page of a room's log: whatever is between the bounds, from its oldest on or up to its newest, as far as it fits.
-- What is put away is not there. One event fits in any case. Sizes are those of the texts as they were sent, and of the tags.
CREATE OR REPLACE FUNCTION chat.page(
    room_name text, after_seq bigint, before_seq bigint, most bigint, max_bytes bigint, is_newest boolean
) RETURNS TABLE (seq bigint, at bigint, kind text, who text, text text, raw text, tags text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    room_id bigint;
    hidden_seq bigint;
BEGIN
    SELECT id, hidden INTO room_id, hidden_seq FROM chat.rooms WHERE name = room_name;
    after_seq := greatest(after_seq, hidden_seq);
    IF is_newest THEN
        RETURN QUERY SELECT e.seq, e.at, e.kind, e.who, e.text, encode(e.raw, 'hex'), e.tags FROM (
            SELECT *, row_number() OVER page AS number,
                sum(coalesce(octet_length(found.raw), octet_length(found.text)) + coalesce(octet_length(found.tags), 0)) OVER page
                    AS size
            FROM (
                SELECT * FROM chat.events WHERE room = room_id AND events.seq > after_seq AND events.seq < before_seq
                ORDER BY events.seq DESC LIMIT most
            ) AS found WINDOW page AS (ORDER BY found.seq DESC ROWS UNBOUNDED PRECEDING)
        ) AS e WHERE e.number = 1 OR e.size <= max_bytes ORDER BY e.seq;
    ELSE
        RETURN QUERY SELECT e.seq, e.at, e.kind, e.who, e.text, encode(e.raw, 'hex'), e.tags FROM (
            SELECT *, row_number() OVER page AS number,
                sum(coalesce(octet_length(found.raw), octet_length(found.text)) + coalesce(octet_length(found.tags), 0)) OVER page
                    AS size
            FROM (
                SELECT * FROM chat.events WHERE room = room_id AND events.seq > after_seq AND events.seq < before_seq
                ORDER BY events.seq LIMIT most
            ) AS found WINDOW page AS (ORDER BY found.seq ROWS UNBOUNDED PRECEDING)
        ) AS e WHERE e.number = 1 OR e.size <= max_bytes ORDER BY e.seq;
    END IF;
END $$;

-- Puts away the logs of those of these rooms that are closed, and in which nobody is but people of one node.
CREATE OR REPLACE FUNCTION chat.put_away(left_rooms text[], besides text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    SELECT array_agg(held.id) INTO ids FROM (
        SELECT rooms.id FROM chat.rooms WHERE is_shut AND rooms.name = ANY (left_rooms) AND NOT EXISTS (
            SELECT FROM chat.here JOIN chat.people USING (name) WHERE here.room = rooms.name AND people.node <> besides
        ) ORDER BY rooms.id FOR NO KEY UPDATE OF rooms
    ) AS held;
    UPDATE chat.rooms SET hidden = seq, is_shut = false WHERE id = ANY (ids);
END $$;

-- The last member of a closed room at a node has left: all that was said is put away, unless somebody is in it elsewhere.
CREATE OR REPLACE FUNCTION chat.end_room(me text, room_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chat.lock_people();
    UPDATE chat.rooms SET is_shut = true WHERE name = room_name;
    PERFORM chat.put_away(ARRAY[room_name], me);
END $$;

-- Closed rooms that nobody is in, because the node that their members were at has died.
CREATE OR REPLACE FUNCTION chat.end_deserted() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chat.lock_people();
    PERFORM chat.put_away(ARRAY(SELECT name FROM chat.rooms WHERE is_shut), '');
END $$;

-- How many people are in a room on other nodes.
CREATE OR REPLACE FUNCTION chat.others_in(me text, room_name text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM chat.here JOIN chat.people USING (name) WHERE here.room = room_name AND people.node <> me
    );
END $$;
