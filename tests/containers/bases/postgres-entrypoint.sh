#!/bin/sh
# First start: a cluster whose superuser, password and database come from POSTGRES_USER,
# POSTGRES_PASSWORD(_FILE) and POSTGRES_DB, as with the official image. Every start: serve on all addresses.
set -eu

create_cluster() {
    [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    : "${POSTGRES_PASSWORD:?must be set}"
    user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    password_file=$(mktemp)
    printf '%s' "$POSTGRES_PASSWORD" > "$password_file"
    initdb --username="$user" --pwfile="$password_file" --encoding=UTF8 --auth=scram-sha-256
    rm -f "$password_file"
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    [ "$database" = postgres ] && return
    # Single-user mode creates the database before anything can connect.
    printf 'CREATE DATABASE "%s"\n' "$database" | postgres --single -j postgres
}

[ -s "$PGDATA/PG_VERSION" ] || create_cluster
unset POSTGRES_PASSWORD
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp
