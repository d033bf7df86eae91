#!/usr/bin/env bash
# Build the image, start the whole stack with simulated shops, and see the demo's customers numbered.
#
#   tests/containers/run.sh [--work DIR] [--keep]
#
# For a Debian machine that can pull no image: the bases are made here with debootstrap, in a Docker
# daemon of our own with everything under DIR (default: a temporary directory). Run as root.
# Promise: the machine's own network and firewall are never touched, and nothing is left running.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work='' keep='' daemon=''

main() {
    options "$@"
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    install_tools
    start_builder
    build_bases
    build_images
    # shellcheck source=tests/containers/image.sh
    . "$here/image.sh"
    image_checks
    start_runner
    start_stack
    # shellcheck source=tests/containers/checks.sh
    . "$here/checks.sh"
    all_checks
    say "passed; image size: $(size patron) MB, of which the base: $(size patron-test/python) MB"
}

options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --work) work=$2; keep=1; shift 2 ;;
            --keep) keep=1; shift ;;
            *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
        esac
    done
    [ "$(id -u)" = 0 ] || { echo "run as root: the daemon and debootstrap need it" >&2; exit 2; }
    work=${work:-$(mktemp -d /tmp/patron-containers.XXXXXX)}
    mkdir -p "$work"
    rm -f "$work/env"
    export DOCKER_CONFIG=$work/config DOCKER_HOST=unix://$work/docker.sock DOCKER_BUILDKIT=1
    export COMPOSE_PROJECT_NAME=patron-test COMPOSE_PROFILES=demo COMPOSE_ANSI=never
}

# To where the script itself writes, also while a step's output goes to its log.
exec 3>&1
say() { printf '== %3d s  %s\n' "$SECONDS" "$*" >&3; }

fail() { say "FAILED: $*"; [ ! -e "$work/env" ] || compose logs --tail 15 || true; exit 1; }

compose() {
    docker compose --project-directory "$root" -f "$root/compose.yaml" --env-file "$work/env" "$@"
}

# Wait for a command to succeed: `eventually SECONDS WHAT COMMAND…`, silent until it gives up.
eventually() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" > "$work/last" 2>&1; do
        [ $SECONDS -lt $deadline ] || { say "not in time: $what"; cat "$work/last"; return 1; }
        sleep 1
    done
}

install_tools() {
    say "tools"
    local missing=() package
    for package in docker.io debootstrap iptables iproute2 curl; do
        dpkg -s "$package" > /dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${missing[@]}"
    } > "$work/install.log" 2>&1
    install_plugins
    docker compose version
}

# Debian 12 has Compose 1 only; the plugins of Debian 13 need nothing but its libc.
install_plugins() {
    local apt=$work/apt plugins=$DOCKER_CONFIG/cli-plugins
    [ -x "$plugins/docker-compose" ] && return
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$plugins"
    cat > "$apt/parts/debian.sources" <<-END
	Types: deb
	URIs: $(mirror)
	Suites: trixie
	Components: main
	Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
    local private=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts"
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${private[@]}" update -qq
    (cd "$apt" && apt-get "${private[@]}" download -qq docker-compose docker-buildx)
    for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$apt/unpacked"; done
    cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$plugins/"
}

# The Debian mirror this machine already uses.
mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

# To build, the daemon uses the machine's network as it is and changes nothing about it.
start_builder() {
    start_daemon dockerd --bridge none --iptables=false --ip-forward=false
}

# To run, it has a network namespace of its own, whose bridges and firewall go when it goes.
start_runner() {
    stop_daemon
    start_daemon unshare --net sh -c 'ip link set lo up && exec dockerd "$@"' sh
}

# In a session of its own: Ctrl-C is for us, and the daemon is still needed to clean up.
start_daemon() {
    setsid "$@" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" \
        --host "$DOCKER_HOST" >> "$work/dockerd.log" 2>&1 &
    daemon=$!
    eventually 60 "the daemon answers" docker version
}

stop_daemon() {
    kill "$daemon" 2> /dev/null || true
    wait "$daemon" || true
    daemon=''
}

build_bases() {
    say "bases"
    docker image inspect patron-test/debian:bookworm > /dev/null 2>&1 || import_debian
    local base
    for base in python rabbitmq postgres prometheus; do
        quietly "$base" docker build --network host --tag "patron-test/$base" \
            --build-arg DEBIAN_IMAGE=patron-test/debian:bookworm \
            --file "$here/bases/$base.Dockerfile" "$here/bases"
    done
}

import_debian() {
    quietly debootstrap debootstrap --variant=minbase --include=ca-certificates \
        bookworm "$work/rootfs" "$(mirror)"
    tar -C "$work/rootfs" --numeric-owner --exclude='./dev/*' --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
        --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' -c . \
        | docker import - patron-test/debian:bookworm > /dev/null
    rm -rf "$work/rootfs"
}

size() { echo $(($(docker image inspect -f '{{.Size}}' "$1:latest") / 1000000)); }

quietly() {
    local name=$1
    shift
    "$@" > "$work/$name.log" 2>&1 || { tail -n 40 "$work/$name.log"; say "failed: $name"; return 1; }
}

# The machine's own package index and certificates reach the build as secrets, and stay out of it.
build_images() {
    say "images"
    local index=${PIP_INDEX_URL:-$(pip config get global.index-url 2> /dev/null || true)}
    printf '[global]\ncert = /run/secrets/pip_ca\n%s\n' "${index:+index-url = $index}" > "$work/pip.conf"
    build patron --target runtime
    build patron-sandbox --target sandbox
    build patron-tracing --target runtime --build-arg EXTRAS=tracing
}

build() {
    quietly "$1" docker build --network host --tag "$1:latest" "${@:2}" \
        --build-arg PYTHON_IMAGE=patron-test/python \
        --secret "id=pip_conf,src=$work/pip.conf" \
        --secret id=pip_ca,src=/etc/ssl/certs/ca-certificates.crt "$root"
}

start_stack() {
    say "stack"
    rm -rf "$work/secrets"
    sh "$root/deploy/compose/new-secrets.sh" "$work/secrets"
    cat > "$work/env" <<-END
	PATRON_SECRETS=$work/secrets
	PATRON_CONFIG_FILE=./deploy/compose/patron.toml
	PYTHON_IMAGE=patron-test/python
	RABBITMQ_IMAGE=patron-test/rabbitmq
	POSTGRES_IMAGE=patron-test/postgres
	PROMETHEUS_IMAGE=patron-test/prometheus
	RABBITMQ_OPEN_FILES=$(ulimit -Hn)
	END
    quietly up compose up --detach --no-build || { compose logs --tail 15; return 1; }
}

clean_up() {
    [ -n "$daemon" ] || return 0
    say "clean up"
    compose --profile '*' down --volumes --remove-orphans --timeout 10 > "$work/down.log" 2>&1 || true
    stop_daemon
    [ -n "$keep" ] || rm -rf "$work"
}

main "$@"
