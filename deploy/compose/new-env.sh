#!/bin/sh
# Print credentials for compose.yaml, made up on the spot:  sh deploy/compose/new-env.sh > .env
# Letters and digits only, so that they may stand in a URL.
set -eu

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

echo "POSTGRES_PASSWORD=$(secret)"
echo "RABBITMQ_ADMIN_PASSWORD=$(secret)"
echo "RABBITMQ_WORKER_PASSWORD=$(secret)"
