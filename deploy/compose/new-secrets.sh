#!/bin/sh
# Make up the credentials that compose.yaml mounts:  sh deploy/compose/new-secrets.sh [DIR]
# The directory keeps other users of this machine out; the files are readable so that the
# containers, which run under users of their own, can read what is mounted into them.
set -eu

directory=${1:-.patron/secrets}
[ ! -e "$directory/postgres_password" ] || { echo "$directory has credentials already" >&2; exit 1; }
mkdir -p "$directory"
chmod 0700 "$directory"
cd "$directory"

# Letters and digits only, so that a password may stand in a URL.
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# --- PostgreSQL: its administrator, and a role for each process (deploy/postgresql/roles.sql) ------
postgres=$(password)
printf '%s' "$postgres" > postgres_password
cat > database_admin.conf <<END
[patron]
host=postgres
dbname=patron
user=postgres
password=$postgres
END
: > role_passwords.sql
for role in migrator importer processor exporter keeper operator; do
    made=$(password)
    printf '%s' "postgresql://patron_$role:$made@postgres:5432/patron" > "database_$role"
    printf "\\\\set %s_password '%s'\n" "$role" "$made" >> role_passwords.sql
done

# --- RabbitMQ: its administrator, and a user for each process (`patron broker users`) ---------------
admin=$(password)
printf 'default_user = patron-admin\ndefault_pass = %s\n' "$admin" > broker_admin.conf
printf '%s' "http://patron-admin:$admin@rabbitmq:15672" > broker_admin
for user in provisioner importer processor exporter keeper watcher; do
    made=$(password)
    printf '%s' "amqp://patron-$user:$made@rabbitmq:5672/%2F" > "broker_$user"
    [ $user != provisioner ] \
        || printf '%s' "http://patron-$user:$made@rabbitmq:15672" > broker_management
done

# --- The key of the tombstones: the same for ever, so keep a copy of it with your backups -----------
printf '%s%s' "$(password)" "$(password)" > privacy_key

chmod 0444 ./*
# Yours: the credentials of your shops, for `…_file = "/run/secrets/channels/…"` in your configuration.
mkdir channels
