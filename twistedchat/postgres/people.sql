-- Functions of names, members, leases and private lines. JSON in, JSON out.
--
-- Whoever changes names or members holds one advisory lock until the end of its transaction, so such changes come one
-- after another on all nodes. Behind it, and never before it, the row of a node is locked: by whoever takes something
-- from that node, so that what the node is just appending comes before.

CREATE SEQUENCE IF NOT EXISTS chat.roster_versions;

-- The number of the last change that each node has told.
CREATE TABLE IF NOT EXISTS chat.told (
    node text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL
);

-- A change that comes after a later one is never made: its connection was given up, and what had been sent over it
-- may still arrive.
CREATE OR REPLACE FUNCTION chat.in_turn(me text, new_number bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat.told AS last (node, number) VALUES (me, new_number)
    ON CONFLICT (node) DO UPDATE SET number = excluded.number WHERE last.number < excluded.number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'change % comes late', new_number USING ERRCODE = 'CH003';
    END IF;
END $$;

-- One change of names and members at a time. Durable as lines are: a name that a crash gives free would be two people's.
CREATE OR REPLACE FUNCTION chat.lock_people() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7466, 1);
END $$;

CREATE OR REPLACE FUNCTION chat.has_lease(me text) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM chat.nodes WHERE id = me AND until > chat.now_ms())
$$;

-- The rosters of these rooms have changed: give them new versions, and wake the other nodes.
-- renamed: [[old, new], ...]; gone: [[room, name, words], ...]: as far as they fit a wake-up.
CREATE OR REPLACE FUNCTION chat.roster_changed(me text, rooms text[], renamed jsonb, gone jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    named text[] := ARRAY(SELECT DISTINCT room FROM unnest(rooms) room WHERE room IS NOT NULL ORDER BY room);
    payload text;
BEGIN
    DELETE FROM chat.rules WHERE room = ANY (named) AND NOT EXISTS (SELECT FROM chat.here WHERE here.room = rules.room);
    IF EXISTS (SELECT FROM chat.rooms WHERE is_shut AND name = ANY (named)) THEN
        PERFORM chat.put_away(named, '');
    END IF;
    INSERT INTO chat.rosters (room, version)
    SELECT room, nextval('chat.roster_versions') FROM unnest(named) room
    ON CONFLICT (room) DO UPDATE SET version = excluded.version;
    payload := me || ' here ' || json_build_array(named, renamed, gone)::text;
    IF octet_length(payload) < 7900 THEN
        IF named <> '{}' THEN
            PERFORM pg_notify('chat', payload);
        END IF;
        RETURN;
    END IF;
    FOR start IN 1 .. cardinality(named) BY 25 LOOP
        PERFORM pg_notify('chat', me || ' here ' || json_build_array(named[start : start + 24], '[]'::json, '[]'::json)::text);
    END LOOP;
END $$;

-- Wakes the nodes: ranks or rules of a room were changed by somebody, or by the server ('').
CREATE OR REPLACE FUNCTION chat.ruled(me text, room text, who text, changes json) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    payload text := me || ' ruled ' || json_build_array(room, who, changes)::text;
BEGIN
    IF octet_length(payload) < 7900 THEN
        PERFORM pg_notify('chat', payload);
    END IF;
END $$;

-- Ranks and rules of a room are changed: [[sign, letter, parameter], ...].
CREATE OR REPLACE FUNCTION chat.amend(where_room text, who text, changes json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    change json;
    letter_ text;
    param_ text;
    is_set boolean;
BEGIN
    FOR change IN SELECT value FROM json_array_elements(changes) LOOP
        letter_ := change ->> 1;
        param_ := change ->> 2;
        is_set := change ->> 0 = '+';
        IF letter_ IN ('o', 'v') THEN
            UPDATE chat.here SET rank = CASE WHEN is_set THEN
                CASE WHEN letter_ = 'o' THEN 'o' || replace(rank, 'o', '') ELSE replace(rank, 'v', '') || 'v' END
            ELSE replace(rank, letter_, '') END
            WHERE room = where_room AND name = param_;
        ELSE
            DELETE FROM chat.rules
            WHERE room = where_room AND letter = letter_ AND (letter_ NOT IN ('b', 'e', 'I') OR param = param_);
            IF is_set <> (letter_ = 'n') THEN
                INSERT INTO chat.rules (room, letter, param, who, at)
                SELECT where_room, letter_, param_, amend.who, chat.now_ms()
                WHERE EXISTS (SELECT FROM chat.here WHERE room = where_room);
            END IF;
        END IF;
    END LOOP;
END $$;

-- The last op of a room that has rules is gone: whoever has been there longest is it now, so that somebody can lift them.
CREATE OR REPLACE FUNCTION chat.op_gone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    heir text;
BEGIN
    IF EXISTS (SELECT FROM chat.rules WHERE room = OLD.room)
    AND NOT EXISTS (SELECT FROM chat.here WHERE room = OLD.room AND rank LIKE 'o%') THEN
        UPDATE chat.here SET rank = 'o' || rank WHERE room = OLD.room
        AND number = (SELECT min(number) FROM chat.here WHERE room = OLD.room) RETURNING name INTO heir;
        IF heir IS NOT NULL THEN
            PERFORM chat.ruled('-', OLD.room, '', json_build_array(json_build_array('+', 'o', heir)));
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER here_op_gone AFTER DELETE ON chat.here
FOR EACH ROW WHEN (OLD.rank LIKE 'o%') EXECUTE FUNCTION chat.op_gone();

-- Takes a person out; gives the rooms that it was in.
CREATE OR REPLACE FUNCTION chat.remove_person(whose text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    rooms text[] := ARRAY(SELECT room FROM chat.here WHERE name = whose);
BEGIN
    DELETE FROM chat.people WHERE name = whose;
    RETURN rooms;
END $$;

-- Gives a name to nobody or to somebody of this node: takes out whoever had it and is gone.
-- Gives who has it, and the rooms of whoever was taken out.
CREATE OR REPLACE FUNCTION chat.clear_name(me text, besides text, likenesses text[], OUT holder chat.people, OUT rooms text[])
LANGUAGE plpgsql AS $$
DECLARE
    other chat.people;
BEGIN
    rooms := '{}';
    FOR other IN
        SELECT people.* FROM chat.people
        WHERE name IN (SELECT names.name FROM chat.names WHERE likeness = ANY (likenesses)) AND name <> besides
    LOOP
        IF other.node <> me THEN
            -- What that node is just appending comes before; nothing under this name does so later.
            PERFORM FROM chat.nodes WHERE id = other.node FOR UPDATE;
        END IF;
        IF other.node = me OR other.until <= chat.now_ms() OR (other.token IS NULL AND NOT chat.has_lease(other.node)) THEN
            rooms := rooms || chat.remove_person(other.name);
        ELSE
            holder := other;
        END IF;
    END LOOP;
END $$;

-- A name is somebody's of this node from now on.
CREATE OR REPLACE FUNCTION chat.give_name(me text, whose text, likenesses text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat.names (likeness, name) SELECT unnest(likenesses), whose ON CONFLICT DO NOTHING;
    INSERT INTO chat.given (likeness, name, node, at) SELECT unnest(likenesses), whose, me, chat.now_ms()
    ON CONFLICT (likeness) DO UPDATE SET name = excluded.name, node = excluded.node, at = excluded.at;
END $$;

-- The session of a token goes on at this node, or null:
--   {"name": ..., "rooms": [...], "from": its node until now, "profile": ..., "arrived": ..., "stay": ms}
CREATE OR REPLACE FUNCTION chat.move(me text, whose text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    person chat.people;
BEGIN
    SELECT * INTO person FROM chat.people WHERE token = decode(whose, 'hex');
    IF person.name IS NULL OR person.until <= chat.now_ms() THEN
        RETURN NULL;
    END IF;
    PERFORM FROM chat.nodes WHERE id = person.node FOR UPDATE;
    UPDATE chat.people SET node = me, until = NULL WHERE name = person.name;
    UPDATE chat.given SET node = me WHERE name = person.name;
    RETURN json_build_object(
        'name', person.name,
        'rooms', ARRAY(SELECT room FROM chat.here WHERE name = person.name ORDER BY room),
        'from', person.node,
        'profile', person.profile,
        'arrived', person.arrived,
        'stay', person.stay_ms
    );
END $$;

-- What happened to people of this node, in order; may be told again. Gives an answer for each, or "lapsed".
--   ["claim", name, [likeness, ...], token or null, profile, how long it stays when it is lost, or null]
--                                                     null, or {"holder": name, "free_in": ms or null}
--   ["rename", old, new, [likeness, ...]]             the same; {"holder": ""} if the old name was lost
--   ["move", token]                                   as chat.move gives it
--   ["unmove", token, ms]                             null; if it has come here, it is nobody's, and can be taken up
--   ["release", name], ["enter", room, name], ["leave", room, name, words], ["linger", name, ms], ["back", name],
--   ["revoke", name], ["profile", name, profile],
--   ["arrived", name, {room: seq}],
--   ["amend", room, by, [[sign, letter, parameter], ...]]
--                                                     null
CREATE OR REPLACE FUNCTION chat.people(me text, number bigint, ops json) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    op json;
    found_rooms text[] := '{}';
    renamed jsonb := '[]';
    gone jsonb := '[]';
    answers json[] := '{}';
    answer json;
    moved json[] := '{}';
    cleared record;
    likes text[];
BEGIN
    PERFORM chat.lock_people();
    PERFORM chat.in_turn(me, number);
    IF NOT chat.has_lease(me) THEN
        RETURN '"lapsed"';
    END IF;
    FOR op IN SELECT value FROM json_array_elements(ops) LOOP
        answer := 'null';
        CASE op ->> 0
        WHEN 'enter' THEN
            INSERT INTO chat.here (room, name)
            SELECT op ->> 1, name FROM chat.people WHERE name = op ->> 2 AND node = me
            ON CONFLICT DO NOTHING;
            found_rooms := found_rooms || (op ->> 1);
        WHEN 'leave' THEN
            DELETE FROM chat.here USING chat.people
            WHERE here.room = op ->> 1 AND here.name = op ->> 2 AND people.name = here.name AND people.node = me;
            found_rooms := found_rooms || (op ->> 1);
            IF op ->> 3 <> '' THEN
                gone := gone || jsonb_build_array(jsonb_build_array(op ->> 1, op ->> 2, op ->> 3));
            END IF;
        WHEN 'claim' THEN
            likes := ARRAY(SELECT json_array_elements_text(op -> 2));
            SELECT * INTO cleared FROM chat.clear_name(me, '', likes);
            found_rooms := found_rooms || cleared.rooms;
            IF (cleared.holder).name IS NULL THEN
                INSERT INTO chat.people (name, node, token, profile, stay_ms)
                VALUES (op ->> 1, me, decode(op ->> 3, 'hex'), op -> 4, (op ->> 5)::bigint);
                PERFORM chat.give_name(me, op ->> 1, likes);
            ELSE
                answer := json_build_object('holder', (cleared.holder).name, 'free_in', (cleared.holder).until - chat.now_ms());
            END IF;
        WHEN 'rename' THEN
            likes := ARRAY(SELECT json_array_elements_text(op -> 3));
            IF EXISTS (SELECT FROM chat.people WHERE name = op ->> 1 AND node = me) THEN
                SELECT * INTO cleared FROM chat.clear_name(me, op ->> 1, likes);
                found_rooms := found_rooms || cleared.rooms;
                IF (cleared.holder).name IS NULL THEN
                    DELETE FROM chat.names WHERE name = op ->> 1;
                    UPDATE chat.people SET name = op ->> 2 WHERE name = op ->> 1;
                    PERFORM chat.give_name(me, op ->> 2, likes);
                    found_rooms := found_rooms || ARRAY(SELECT room FROM chat.here WHERE name = op ->> 2);
                    renamed := renamed || jsonb_build_array(jsonb_build_array(op ->> 1, op ->> 2));
                ELSE
                    answer := json_build_object('holder', (cleared.holder).name, 'free_in', (cleared.holder).until - chat.now_ms());
                END IF;
            ELSIF NOT EXISTS (SELECT FROM chat.people WHERE name = op ->> 2 AND node = me) THEN
                answer := json_build_object('holder', '');
            END IF;
        WHEN 'move' THEN
            answer := chat.move(me, op ->> 1);
            IF answer IS NULL THEN
                answer := 'null';
            ELSE
                moved := moved || answer;
            END IF;
        WHEN 'unmove' THEN
            UPDATE chat.people SET node = '-', until = chat.now_ms() + (op ->> 2)::bigint
            WHERE token = decode(op ->> 1, 'hex') AND node = me;
        WHEN 'release' THEN
            IF EXISTS (SELECT FROM chat.people WHERE name = op ->> 1 AND node = me) THEN
                found_rooms := found_rooms || chat.remove_person(op ->> 1);
            END IF;
        WHEN 'linger' THEN
            UPDATE chat.people SET until = chat.now_ms() + (op ->> 2)::bigint WHERE name = op ->> 1 AND node = me;
        WHEN 'back' THEN
            UPDATE chat.people SET until = NULL WHERE name = op ->> 1 AND node = me;
        WHEN 'revoke' THEN
            UPDATE chat.people SET token = NULL WHERE name = op ->> 1 AND node = me;
        WHEN 'arrived' THEN
            UPDATE chat.people SET arrived = op -> 2 WHERE name = op ->> 1 AND node = me;
        WHEN 'amend' THEN
            PERFORM chat.amend(op ->> 1, op ->> 2, op -> 3);
            PERFORM chat.ruled(me, op ->> 1, op ->> 2, op -> 3);
            found_rooms := found_rooms || (op ->> 1);
        WHEN 'profile' THEN
            UPDATE chat.people SET profile = op -> 2 WHERE name = op ->> 1 AND node = me;
            IF FOUND THEN
                found_rooms := found_rooms || ARRAY(SELECT room FROM chat.here WHERE name = op ->> 1);
            END IF;
        END CASE;
        answers := answers || answer;
    END LOOP;
    PERFORM chat.roster_changed(me, found_rooms, renamed, gone);
    -- A notification has less than 8000 bytes; a name has at most 96.
    PERFORM pg_notify('chat', me || ' moved ' || left_node || ' ' || string_agg(name, ' '))
    FROM (
        SELECT one ->> 'from' AS left_node, one ->> 'name' AS name, row_number() OVER (PARTITION BY one ->> 'from') AS place
        FROM unnest(moved) one WHERE one ->> 'from' <> me
    ) AS leaving GROUP BY left_node, place / 50;
    RETURN array_to_json(answers);
END $$;

-- Who is in rooms on other nodes, and the ranks and rules there:
--   [[room, version, [[name, profile], ...], [[name, rank], ...], [[letter, parameter, who, at], ...]], ...]
-- The ranks are those of everybody.
-- In SQL, so planned anew at each call: the best plan for a room of one is not that for a crowd.
CREATE OR REPLACE FUNCTION chat.seen_in(me text, asked json) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(json_build_array(
        asked.room,
        coalesce((SELECT version FROM chat.rosters WHERE rosters.room = asked.room), 0),
        coalesce((
            SELECT json_agg(json_build_array(here.name, people.profile)) FROM chat.here JOIN chat.people USING (name)
            WHERE here.room = asked.room AND people.node <> me
        ), '[]'),
        coalesce((
            SELECT json_agg(json_build_array(here.name, here.rank)) FROM chat.here
            WHERE here.room = asked.room AND here.rank <> ''
        ), '[]'),
        coalesce((
            SELECT json_agg(json_build_array(letter, param, who, at) ORDER BY number) FROM chat.rules
            WHERE rules.room = asked.room
        ), '[]')
    )), '[]') FROM (SELECT value COLLATE "C" AS room FROM json_array_elements_text(asked)) asked
$$;

-- Nodes whose lease has lapsed: people at telnet have left, lost sessions stay for a while from then on.
CREATE OR REPLACE FUNCTION chat.sweep(me text, linger_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := chat.now_ms();
    dead record;
    whose text;
    rooms text[] := '{}';
BEGIN
    IF NOT EXISTS (
        SELECT FROM chat.nodes WHERE until <= now_ms
        AND EXISTS (SELECT FROM chat.people WHERE node = nodes.id AND (token IS NULL OR people.until IS NULL OR people.until <= now_ms))
    ) THEN
        RETURN;
    END IF;
    PERFORM chat.lock_people();
    -- Before rooms, if one is to be put away: as whoever appends does.
    PERFORM FROM chat.nodes WHERE id = me FOR NO KEY UPDATE;
    FOR dead IN SELECT id, until FROM chat.nodes WHERE until <= chat.now_ms() FOR UPDATE SKIP LOCKED LOOP
        UPDATE chat.people SET until = dead.until + coalesce(stay_ms, linger_ms)
        WHERE node = dead.id AND token IS NOT NULL AND people.until IS NULL;
        FOR whose IN SELECT name FROM chat.people WHERE node = dead.id AND (token IS NULL OR people.until <= now_ms) LOOP
            rooms := rooms || chat.remove_person(whose);
        END LOOP;
    END LOOP;
    PERFORM chat.roster_changed('-', rooms, '[]', '[]');
END $$;

-- What nobody asks for any more: nodes of yesterday, rooms in which nothing was said, rosters of empty rooms.
CREATE OR REPLACE FUNCTION chat.tidy() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chat.lock_people();
    DELETE FROM chat.nodes WHERE until < chat.now_ms() - 86400000 AND id <> '-'
    AND NOT EXISTS (SELECT FROM chat.people WHERE node = nodes.id);
    DELETE FROM chat.told WHERE NOT EXISTS (SELECT FROM chat.nodes WHERE id = told.node);
    DELETE FROM chat.alike USING chat.rooms WHERE rooms.id = alike.room AND rooms.seq = 0
    AND NOT EXISTS (SELECT FROM chat.here WHERE here.room = rooms.name);
    DELETE FROM chat.rooms WHERE seq = 0 AND NOT EXISTS (SELECT FROM chat.here WHERE here.room = rooms.name);
    DELETE FROM chat.rosters WHERE NOT EXISTS (SELECT FROM chat.here WHERE here.room = rosters.room);
    DELETE FROM chat.given WHERE at < chat.now_ms() - 86400000;
    DELETE FROM chat.tells WHERE at < chat.now_ms() - 60000;
END $$;

-- Every two seconds: renews the lease, and tells what has happened elsewhere; or "lapsed".
--   heads    [[room, seq, at], ...]     where this node's rooms stand
--   versions [[room, version], ...]     the rosters that it knows
CREATE OR REPLACE FUNCTION chat.beat(me text, heads json, versions json, lease_ms bigint, linger_ms bigint)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    moved json;
    cut json;
    stale json;
BEGIN
    -- A lease must not wait for a disk, or for a standby that is gone; what a crash undoes of this is done again.
    PERFORM set_config('synchronous_commit', 'off', true);
    -- First, because it takes the lock of all, which comes before the row of a node.
    PERFORM chat.sweep(me, linger_ms);
    UPDATE chat.nodes SET until = chat.now_ms() + lease_ms WHERE id = me AND until > chat.now_ms();
    IF NOT FOUND THEN
        RETURN '"lapsed"';
    END IF;
    WITH known AS MATERIALIZED (
        SELECT (value ->> 0) COLLATE "C" AS name, (value ->> 1)::bigint AS seq, (value ->> 2)::bigint AS at
        FROM json_array_elements(heads)
    ), found AS MATERIALIZED (
        SELECT known.*, coalesce(rooms.seq, 0) AS head, rooms.id
        FROM known LEFT JOIN chat.rooms USING (name)
        WHERE known.seq <> coalesce(rooms.seq, 0) OR (known.seq > 0 AND known.at <> rooms.at)
    ), judged AS (
        SELECT found.*, found.seq > 0 AND NOT EXISTS (
            SELECT FROM chat.events WHERE room = found.id AND events.seq = found.seq AND events.at = found.at
        ) AS is_cut
        FROM found
    ), begun AS (
        -- Where the log was cut: "at" never goes back, so what is later than all that was shown was not shown.
        SELECT judged.*, coalesce(shown.seq, 0) AS last, coalesce(shown.at, 0) AS last_at
        FROM judged LEFT JOIN LATERAL (
            SELECT events.seq, events.at FROM chat.events
            WHERE room = judged.id AND events.seq <= judged.seq AND events.at <= judged.at
            ORDER BY events.seq DESC LIMIT 1
        ) AS shown ON judged.is_cut
    )
    SELECT json_agg(json_build_array(name, head)) FILTER (WHERE NOT is_cut OR head > last),
           json_agg(json_build_array(name, seq, last, last_at)) FILTER (WHERE is_cut)
    INTO moved, cut FROM begun;
    SELECT json_agg(room) INTO stale FROM (
        SELECT value ->> 0 AS room FROM json_array_elements(versions)
        LEFT JOIN chat.rosters ON rosters.room = (value ->> 0) COLLATE "C"
        WHERE coalesce(rosters.version, 0) <> (value ->> 1)::bigint
    ) differing;
    RETURN json_build_object(
        'people', (SELECT count(*) FROM chat.people WHERE node = me),
        'moved', coalesce(moved, '[]'),
        'cut', coalesce(cut, '[]'),
        'stale', coalesce(stale, '[]'),
        'tells', EXISTS (SELECT FROM chat.tells WHERE node = me)
    );
END $$;

-- A node comes back after its lease lapsed, or finds that it has fewer people than it thought: all of them.
--   [[name, [likeness, ...], token or null, whether the connection is lost, [room, ...], profile, stay, arrived], ...]
-- Gives who has lost the name: [[name, whether the session goes on at another node], ...].
CREATE OR REPLACE FUNCTION chat.come_back(me text, number bigint, node_name text, listed json, lease_ms bigint, linger_ms bigint)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint;
    held_until bigint;
    rooms text[] := '{}';
    lost json[] := '{}';
    mine text[] := '{}';
    whose text;
    one json;
    person chat.people;
    cleared record;
    likes text[];
BEGIN
    PERFORM chat.lock_people();
    PERFORM chat.in_turn(me, number);
    held_until := (SELECT until FROM chat.nodes WHERE id = me);
    PERFORM chat.begin(me, node_name, lease_ms);
    now_ms := chat.now_ms();
    FOR one IN SELECT value FROM json_array_elements(listed) LOOP
        likes := ARRAY(SELECT json_array_elements_text(one -> 1));
        SELECT * INTO person FROM chat.people WHERE name = one ->> 0;
        IF person.name IS NOT NULL AND person.node <> me AND person.token = decode(one ->> 2, 'hex') THEN
            lost := lost || json_build_array(one ->> 0, true);
            CONTINUE;
        END IF;
        SELECT * INTO cleared FROM chat.clear_name(me, CASE WHEN person.node = me THEN person.name ELSE '' END, likes);
        rooms := rooms || cleared.rooms;
        -- Also if whoever took it meanwhile has gone again.
        IF (cleared.holder).name IS NOT NULL OR EXISTS (
            SELECT FROM chat.given WHERE likeness = ANY (likes) AND node <> me AND at >= held_until
        ) THEN
            lost := lost || json_build_array(one ->> 0, false);
            CONTINUE;
        END IF;
        mine := mine || (one ->> 0);
        INSERT INTO chat.people (name, node, token) VALUES (one ->> 0, me, decode(one ->> 2, 'hex'))
        ON CONFLICT (name) DO UPDATE SET token = excluded.token;
        UPDATE chat.people SET until = CASE WHEN (one ->> 3)::boolean THEN coalesce(until, now_ms + coalesce(stay_ms, linger_ms)) END,
            profile = one -> 5, stay_ms = (one ->> 6)::bigint, arrived = coalesce(nullif((one -> 7)::text, 'null')::json, arrived)
        WHERE name = one ->> 0;
        PERFORM chat.give_name(me, one ->> 0, likes);
        rooms := rooms || ARRAY(SELECT room FROM chat.here WHERE name = one ->> 0)
            || ARRAY(SELECT json_array_elements_text(one -> 4));
        DELETE FROM chat.here WHERE name = one ->> 0 AND room NOT IN (SELECT json_array_elements_text(one -> 4));
        INSERT INTO chat.here (room, name) SELECT json_array_elements_text(one -> 4), one ->> 0 ON CONFLICT DO NOTHING;
    END LOOP;
    -- Whose session may just be on its way here: it is nobody's, and can be taken up.
    UPDATE chat.people SET node = '-', until = coalesce(until, now_ms + linger_ms)
    WHERE node = me AND token IS NOT NULL AND name <> ALL (mine);
    FOR whose IN SELECT name FROM chat.people WHERE node = me AND name <> ALL (mine) LOOP
        rooms := rooms || chat.remove_person(whose);
    END LOOP;
    PERFORM chat.roster_changed(me, rooms, '[]', '[]');
    RETURN array_to_json(lost);
END $$;

-- A node stops: its lease ends now, and whoever can come back has a while to do so.
CREATE OR REPLACE FUNCTION chat.leave(me text, linger_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chat.lock_people();
    UPDATE chat.nodes SET until = chat.now_ms() WHERE id = me;
    PERFORM chat.sweep(me, linger_ms);
END $$;

-- Whose a name is on another node: [name, node, whether the connection is there, profile], or null.
CREATE OR REPLACE FUNCTION chat.find(likenesses json) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        people.name, people.node, people.until IS NULL AND nodes.until > chat.now_ms(), people.profile
    )
    FROM json_array_elements_text(likenesses) WITH ORDINALITY AS asked (likeness, place)
    JOIN chat.names ON names.likeness = asked.likeness COLLATE "C"
    JOIN chat.people ON people.name = names.name
    LEFT JOIN chat.nodes ON nodes.id = people.node
    ORDER BY place LIMIT 1
$$;

-- A private line for somebody on another node; gives its number, or null if there is nobody to take it.
CREATE OR REPLACE FUNCTION chat.tell(me text, receiver text, sender text, said text, sent_at bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    target text;
    number bigint;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT people.node INTO target FROM chat.people JOIN chat.nodes ON nodes.id = people.node
    WHERE people.name = receiver AND people.until IS NULL AND nodes.until > chat.now_ms();
    IF target IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO chat.tells (node, to_name, who, text, at, state) VALUES (target, receiver, sender, said, sent_at, me)
    RETURNING id INTO number;
    PERFORM pg_notify('chat', me || ' tells ' || target);
    RETURN number;
END $$;

-- The private lines for this node, which is to say what became of them: [[number, node, to, who, text, at], ...].
CREATE OR REPLACE FUNCTION chat.take(me text) RETURNS json LANGUAGE sql AS $$
    WITH taken AS (DELETE FROM chat.tells WHERE node = me RETURNING id, state, to_name, who, text, at)
    SELECT coalesce(json_agg(json_build_array(id, state, to_name, who, text, at) ORDER BY id), '[]') FROM taken
$$;

-- A private line that nobody has taken is withdrawn; whether it was.
CREATE OR REPLACE FUNCTION chat.withdraw(number bigint) RETURNS boolean LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM chat.tells WHERE id = number RETURNING id) SELECT EXISTS (SELECT FROM gone)
$$;

-- Those of the names that are of people of this node.
CREATE OR REPLACE FUNCTION chat.mine(me text, asked json) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(people.name), '[]')
    FROM json_array_elements_text(asked) name JOIN chat.people ON people.name = name COLLATE "C"
    WHERE people.node = me
$$;
