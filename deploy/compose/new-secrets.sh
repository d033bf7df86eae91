#!/bin/sh
# Make up the credentials that compose.yaml mounts:  sh deploy/compose/new-secrets.sh [DIR]
# The directory keeps other users of this machine out; the files are readable so that the
# containers, which run under users of their own, can read what is mounted into them.
set -eu

directory=${1:-.patron/secrets}
[ ! -e "$directory/database_url" ] || { echo "$directory has credentials already" >&2; exit 1; }
mkdir -p "$directory"
chmod 0700 "$directory"
cd "$directory"

# Letters and digits only, so that a password may stand in a URL.
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

database=$(password) admin=$(password) worker=$(password) keeper=$(password)

printf '%s' "$database" > postgres_password
printf '%s' "postgresql://patron:$database@postgres:5432/patron" > database_url
printf 'default_user = patron-admin\ndefault_pass = %s\n' "$admin" > broker_admin.conf
printf '%s' "amqp://patron-admin:$admin@rabbitmq:5672/%2F" > broker_admin_url
printf '%s' "http://patron-admin:$admin@rabbitmq:15672" > broker_management_url
printf '%s' "amqp://patron-worker:$worker@rabbitmq:5672/%2F" > broker_worker_url
printf '%s' "amqp://patron-keeper:$keeper@rabbitmq:5672/%2F" > broker_keeper_url
chmod 0444 ./*
