#!/bin/sh
# Two nodes of one chat on this machine: PostgreSQL, two daemons, and haproxy in front of them.
#
#   sh examples/cluster.sh            everything in ./cluster, until Ctrl-C; what was said is there the next time
#   STORE=postgresql://chat@db/chat sh examples/cluster.sh        with a PostgreSQL that runs already
#   CHAT=.venv/bin FOLDER=/srv/try PORT=7622 sh examples/cluster.sh
#
# Needs Debian's postgresql and haproxy, and pip install 'twistedchat[nodes]'. docs/cluster.md says what each part is for.
set -eu

folder=${FOLDER:-cluster}
port=${PORT:-6622}
database_port=$((port + 1))
mkdir -p "$folder" && folder=$(cd "$folder" && pwd)
twistd=$(command -v "${CHAT:+$CHAT/}twistd") && twistd=$(cd "$(dirname "$twistd")" && pwd)/twistd
pids=

stop() {
    trap - EXIT INT TERM
    # The balancer and the nodes first, then the database, so that all that was said is stored.
    for pid in $pids; do
        if kill "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
    done
}
trap stop EXIT
trap 'exit 130' INT TERM

# Wait until a command succeeds, at most 20 seconds.
until_it_does() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ]; then
            echo "waited in vain for: $*; see $folder/*.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# -- the database: PostgreSQL refuses to run as root ----------------------------------------------
if [ -z "${STORE:-}" ]; then
    programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
    as_owner=
    if [ "$(id -u)" = 0 ]; then as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"; fi
    if [ ! -d "$folder/database" ]; then
        mkdir "$folder/database"
        if [ -n "$as_owner" ]; then chown postgres "$folder/database"; fi
        (cd / && $as_owner "$programs/initdb" -D "$folder/database" -U chat -A trust -E UTF8 --locale=C) >"$folder/initdb.log"
    fi
    (cd / && exec $as_owner "$programs/postgres" -D "$folder/database" -p $database_port \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories=) >"$folder/database.log" 2>&1 &
    database=$!
    until_it_does "$programs/pg_isready" -q -h 127.0.0.1 -p $database_port
    "$programs/createdb" -h 127.0.0.1 -p $database_port -U chat chat 2>/dev/null || true
    STORE=postgresql://chat@127.0.0.1:$database_port/chat
    pids=$database
fi

# -- the nodes: each has a port for people, and one on which haproxy asks whether it is healthy ----
for node in 1 2; do
    (cd "$folder" && exec "$twistd" -n --pidfile= chatroom --store "$STORE" --node "node$node" \
        --port "tcp:$((port + 10 * node)):interface=127.0.0.1:backlog=4096" \
        --health "tcp:$((port + 10 * node + 1)):interface=127.0.0.1") >>"$folder/node$node.log" 2>&1 &
    pids="$! $pids"
done

# -- the balancer ---------------------------------------------------------------------------------
cat >"$folder/haproxy.cfg" <<CONFIG
defaults
    mode tcp
    timeout connect 3s
    # People may be silent for long. A peer that is gone is noticed by keepalive (and bundled clients ping).
    timeout client 24h
    timeout server 24h
    option clitcpka
    option srvtcpka
    # A node that has just been stopped refuses connections: the next one is tried at once.
    retries 3
    option redispatch 1

frontend people
    bind *:$port
    default_backend nodes

backend nodes
    balance leastconn
    option httpchk GET /healthz
    default-server check inter 1s fall 2 rise 1
    server node1 127.0.0.1:$((port + 10)) port $((port + 11))
    server node2 127.0.0.1:$((port + 20)) port $((port + 21))
CONFIG
haproxy=$(PATH=$PATH:/usr/sbin command -v haproxy)
# It goes into the background when it listens, or says why it can't.
"$haproxy" -D -q -p "$folder/haproxy.pid" -f "$folder/haproxy.cfg"
pids="$(cat "$folder/haproxy.pid") $pids"

for health in $((port + 11)) $((port + 21)); do
    until_it_does curl -sf "http://127.0.0.1:$health/healthz"
done
echo "The chat is open: chatroom localhost:$port, or telnet localhost $port."
echo "The nodes themselves: chatroom localhost:$((port + 10)) localhost:$((port + 20)). Ctrl-C stops everything."
wait
