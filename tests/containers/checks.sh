# What must hold of the running stack. Sourced by run.sh, which brings `compose`, `eventually`, `say`.
# shellcheck shell=bash disable=SC2154

workers=(importer processor exporter keeper)

all_checks() {
    everything_becomes_healthy
    jobs_finished_well
    containers_are_confined
    simulated_shops_stay_out_of_the_image
    processor_sees_no_shop
    workers_may_configure_nothing
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
    for job in migrate broker-user provision; do
        [ "$(inspect "$job" '{{.State.Status}} {{.State.ExitCode}}')" = "exited 0" ] || fail "job $job"
    done
    say "done once: migrate, broker-user, provision"
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

workers_may_configure_nothing() {
    compose exec -T rabbitmq rabbitmqctl --quiet list_permissions --no-table-headers \
        | grep -q "^patron-worker[[:space:]]*^\$[[:space:]]" || fail "the workers may configure queues"
    compose exec -T rabbitmq rabbitmqctl --quiet list_permissions --no-table-headers \
        | grep -q "^patron-keeper[[:space:]]*^\$[[:space:]]*^\$[[:space:]]" || fail "the keeper may write"
    compose exec -T rabbitmq rabbitmqctl --quiet list_users --no-table-headers \
        | grep -q "^guest" && fail "user guest exists"
    say "the workers' broker user configures nothing, and there is no guest"
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
