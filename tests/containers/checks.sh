# What must hold of the running stack. Sourced by run.sh, which brings `compose`, `eventually`, `say`.
# shellcheck shell=bash disable=SC2154

workers=(importer processor exporter keeper)
jobs=(database-roles migrate database-rights broker-users provision)

all_checks() {
    everything_becomes_healthy
    jobs_finished_well
    containers_are_confined
    simulated_shops_stay_out_of_the_image
    processor_sees_no_shop
    each_has_its_own_login
    demo_customers_are_numbered
    stopping_is_graceful
}

inspect() { docker inspect --format "$2" "$(compose ps --all --quiet "$1")"; }

fail() { say "FAILED: $*"; compose logs --tail 15 || true; exit 1; }

is_healthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = healthy ]; }

everything_becomes_healthy() {
    local service
    for service in rabbitmq postgres sandbox "${workers[@]}"; do
        eventually 180 "$service is healthy" is_healthy "$service" || fail "$service is not healthy"
    done
    say "healthy: rabbitmq, postgres, sandbox, ${workers[*]}"
}

jobs_finished_well() {
    local job
    for job in "${jobs[@]}"; do
        [ "$(inspect "$job" '{{.State.Status}} {{.State.ExitCode}}')" = "exited 0" ] || fail "job $job"
    done
    say "done once: ${jobs[*]}"
}

containers_are_confined() {
    local service
    for service in "${workers[@]}"; do
        [ "$(inspect "$service" '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}')" \
            = "10001:10001 true [ALL] [no-new-privileges:true]" ] || fail "$service is not confined"
        compose exec -T "$service" python -c 'open("/opt/patron/x", "w")' 2> /dev/null \
            && fail "$service can write to its root file system"
    done
    say "confined: no root, no capability, nothing to write but /tmp"
}

simulated_shops_stay_out_of_the_image() {
    docker run --rm --network none --entrypoint python patron:latest -c '
from importlib.util import find_spec
raise SystemExit(find_spec("services.sandbox") is not None or find_spec("pip") is not None)' \
        || fail "the production image holds services.sandbox or an installer"
    say "not in the production image: services.sandbox, pip"
}

processor_sees_no_shop() {
    compose exec -T processor python -c '
import socket
try:
    socket.create_connection(("sandbox", 8080), timeout=2)
except OSError:
    raise SystemExit(0)
raise SystemExit(1)' || fail "the processor reaches the shops"
    say "the processor reaches broker and database only"
}

each_has_its_own_login() {
    local worker other
    for worker in "${workers[@]}"; do
        [ "$(login_of "$worker" database_url) $(login_of "$worker" broker_url)" \
            = "patron_$worker patron-$worker" ] || fail "$worker logs in as somebody else"
        for other in postgres_password database_admin.conf broker_admin management_url; do
            compose exec -T "$worker" test -e "/run/secrets/$other" && fail "$worker sees $other"
        done
        compose exec -T rabbitmq rabbitmqctl --quiet list_permissions --no-table-headers \
            | grep -q "^patron-$worker[[:space:]]*^\$[[:space:]]" || fail "$worker may configure queues"
    done
    connected=$(compose exec -T rabbitmq rabbitmqctl --quiet list_connections user --no-table-headers \
        | sort -u | tr -d '\r' | paste -sd ' ')
    [ "$connected" = "patron-exporter patron-importer patron-keeper patron-processor" ] \
        || fail "connected to RabbitMQ: $connected"
    [ "$(roles_connected)" = "patron_exporter patron_importer patron_keeper patron_processor" ] \
        || fail "connected to PostgreSQL: $(roles_connected)"
    compose exec -T rabbitmq rabbitmqctl --quiet list_users --no-table-headers \
        | grep -q "^guest" && fail "user guest exists"
    say "each worker has its own database role and RabbitMQ user; there is no guest"
}

# The user that stands in one of a worker's secrets.
login_of() {
    compose exec -T "$1" python -c '
import sys, urllib.parse
print(urllib.parse.urlsplit(open(f"/run/secrets/{sys.argv[1]}").read()).username)' "$2"
}

# Who is connected to the database, as its administrator sees it.
roles_connected() {
    compose run --rm --no-deps -T --entrypoint psql database-roles --no-psqlrc --tuples-only --no-align \
        -c "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'patron%' ORDER BY 1" \
        2> /dev/null | paste -sd ' '
}

ask_the_shop() { compose exec -T sandbox python - < "$here/numbered.py"; }

demo_customers_are_numbered() {
    eventually 180 "the shop's customers are numbered" ask_the_shop || fail "customers have no number"
    say "numbered: $(ask_the_shop)"
}

stopping_is_graceful() {
    compose stop --timeout 45 "${workers[@]}" > /dev/null 2>&1
    local service
    for service in "${workers[@]}"; do
        [ "$(inspect "$service" '{{.State.ExitCode}}')" = 0 ] \
            || fail "$service ended with $(inspect "$service" '{{.State.ExitCode}}')"
    done
    say "stopped by SIGTERM with exit code 0: ${workers[*]}"
}
