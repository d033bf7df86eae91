# What must hold of the running stack. Sourced by run.sh, which brings `compose`, `eventually`, `say`.
# shellcheck shell=bash disable=SC2154

workers=(importer processor exporter keeper)
jobs=(database-roles migrate database-rights broker-users provision)

all_checks() {
    everything_becomes_healthy
    jobs_finished_well
    containers_are_confined
    processor_sees_no_shop
    each_has_its_own_login
    demo_customers_are_numbered
    operator_looks
    own_shops_and_intake
    prometheus_watches
    a_worker_that_is_gone_is_noticed
    stopping_is_graceful
}

inspect() { docker inspect --format "$2" "$(compose ps --all --quiet "$1")"; }

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
    local worker seen rights users connected
    rights=$(ask_broker list_permissions) users=$(ask_broker list_users)
    for worker in "${workers[@]}"; do
        seen=$(compose exec -T "$worker" python - < "$here/logins.py" | paste -sd ' ')
        [ "$seen" = "$(logins_of "$worker")" ] || fail "$worker sees: $seen"
        grep -q "^patron-${worker}[[:space:]]*^\$[[:space:]]" <<< "$rights" \
            || fail "$worker may configure queues"
    done
    connected=$(ask_broker list_connections user | sort -u | paste -sd ' ')
    [ "$connected" = "patron-exporter patron-importer patron-keeper patron-processor" ] \
        || fail "connected to RabbitMQ: $connected"
    connected=$(roles_connected)
    [ "$connected" = "patron_exporter patron_importer patron_keeper patron_processor" ] \
        || fail "connected to PostgreSQL: $connected"
    grep -q "^guest" <<< "$users" && fail "user guest exists"
    say "each worker has its own database role and RabbitMQ user; there is no guest"
}

# What a worker is to see: its own, and the tombstones' key where somebody may be erased.
logins_of() {
    echo "broker_url:patron-$1 channels database_url:patron_$1$([ "$1" = exporter ] || echo ' privacy_key')"
}

ask_broker() { compose exec -T rabbitmq rabbitmqctl --quiet "$@" --no-table-headers | tr -d '\r'; }

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

operator_looks() {
    compose run --rm -T operator queues > "$work/queues" 2>&1 || { cat "$work/queues"; fail "the operator"; }
    say "an operator's command: queues"
}

# The same stack for shops of one's own: another configuration, credentials in files, and the intake.
own_shops_and_intake() {
    local key channels=$work/secrets/channels
    printf sandboxconsumerkey00000000000000 > "$channels/consumer_key"
    printf sandboxconsumersecret00000000000 > "$channels/consumer_secret"
    printf sandboxaccesstoken00000000000000 > "$channels/access_token"
    printf sandboxtokensecret00000000000000 > "$channels/access_token_secret"
    key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$key" > "$channels/crm_api_keys"
    chmod 0444 "$channels"/*
    sed -i "s|^PATRON_CONFIG_FILE=.*|PATRON_CONFIG_FILE=$here/own.toml|" "$work/env"
    COMPOSE_PROFILES=full quietly full compose up --detach --no-build || fail "profile full"
    everything_becomes_healthy
    jobs_finished_well
    # From this machine, as a reverse proxy would.
    on_this_machine curl --silent --show-error --fail --max-time 30 http://127.0.0.1:9110/v1/customers \
        --header "Authorization: Bearer $key" --header 'Content-Type: application/json' \
        --data '{"external_id": "4711", "first_name": "Ann", "last_name": "Lang",
                 "email": "ann.lang@example.com", "addresses": [{"lines": ["Lindenweg 4"],
                 "postcode": "10115", "city": "Berlin", "country": "DE"}]}' \
        > "$work/push" || fail "the intake does not answer"
    eventually 60 "the pushed customer is numbered" pushed_is_numbered "$key" || fail "not numbered"
    say "profile full: credentials in files, intake on this machine, a pushed customer is numbered"
}

pushed_is_numbered() {
    on_this_machine curl --silent --fail --max-time 10 http://127.0.0.1:9110/v1/customers/4711 \
        --header "Authorization: Bearer $1" | grep '"numbered"'
}

# The stack's machine is the network namespace that the daemon has for itself.
on_this_machine() { nsenter --net --target "$daemon" "$@"; }

ask_prometheus() { compose exec -T keeper python - "$1" < "$here/watched.py"; }

# Grafana is not started: no package of it is to be had. Its files are held against Prometheus and
# compose.yaml by tests/deploy/test_dashboard.py.
prometheus_watches() {
    COMPOSE_PROFILES=full,observability quietly prometheus compose up --detach --no-build --no-recreate \
        prometheus || fail "profile observability"
    eventually 60 "prometheus is healthy" is_healthy prometheus || fail "prometheus is not healthy"
    eventually 60 "every rule is evaluated" ask_prometheus rules || fail "the rules"
    say "rules: $(ask_prometheus rules)"
    eventually 90 "all targets are up" all_targets_are_up || fail "targets: $(ask_prometheus up)"
    say "targets up: $(ask_prometheus 'sort(up == 1)' | wc -l)"
    eventually 120 "a canary came through" ask_prometheus \
        'time() - max(patron_canary_last_seen_timestamp_seconds > 0) < 90' || fail "no canary"
    say "series of patron: $(ask_prometheus 'count(count by (__name__) ({__name__=~"patron_.+"}))'), of the broker:$(
        ask_prometheus 'count(count by (__name__) ({__name__=~"rabbitmq_.+"}))'), the canary came$(
        ask_prometheus 'time() - max(patron_canary_last_seen_timestamp_seconds > 0)') s ago"
    ask_prometheus 'ALERTS{severity="page"}' > "$work/alerts" && fail "alerts: $(cat "$work/alerts")"
    say "no alert that wakes somebody"
}

# Four workers, and RabbitMQ's exporter twice.
all_targets_are_up() { [ "$(ask_prometheus 'up == 1' | wc -l)" = 6 ]; }

noticed='ALERTS{alertname=~"PatronWorkerDown|PatronWorkerMissing"}'

a_worker_that_is_gone_is_noticed() {
    compose stop --timeout 45 exporter > /dev/null 2>&1
    eventually 120 "an exporter that is gone is noticed" ask_prometheus "$noticed" || fail "unnoticed"
    say "the exporter is stopped: $(ask_prometheus "$noticed" | paste -sd ';')"
    compose start exporter > /dev/null 2>&1
    eventually 120 "that alert is over" is_over "$noticed" || fail "still: $(ask_prometheus "$noticed")"
    say "it is back: no alert"
}

is_over() { ! ask_prometheus "$1"; }

stopping_is_graceful() {
    compose stop --timeout 45 "${workers[@]}" > /dev/null 2>&1
    local service
    for service in "${workers[@]}"; do
        [ "$(inspect "$service" '{{.State.ExitCode}}')" = 0 ] \
            || fail "$service ended with $(inspect "$service" '{{.State.ExitCode}}')"
    done
    say "stopped by SIGTERM with exit code 0: ${workers[*]}"
}
