-- Functions of the log. They are replaced whenever a daemon finds others than its own.

CREATE OR REPLACE FUNCTION chat.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- A node begins, or goes on: its lease ends so many milliseconds from now on.
CREATE OR REPLACE FUNCTION chat.begin(node text, node_name text, lease_ms bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO chat.nodes (id, name, until) VALUES (node, node_name, chat.now_ms() + lease_ms)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until
$$;
