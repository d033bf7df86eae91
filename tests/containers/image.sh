# What must hold of the images, whether or not anything runs. Sourced by run.sh, which brings `fail`, `say`.
# shellcheck shell=bash

image_checks() {
    simulated_shops_stay_out_of_the_image
    no_shell_is_needed
    the_image_says_what_it_is_built_from
    traces_are_an_extra
}

simulated_shops_stay_out_of_the_image() {
    docker run --rm --network none --entrypoint python patron:latest -c '
from importlib.util import find_spec
raise SystemExit(find_spec("services.sandbox") is not None or find_spec("pip") is not None)' \
        || fail "the production image holds services.sandbox or an installer"
    say "not in the production image: services.sandbox, pip"
}

# The program and its probe, with nothing in the place of the shell.
no_shell_is_needed() {
    local shellless=(docker run --rm --network none --read-only --volume /dev/null:/usr/bin/dash:ro
        --volume /dev/null:/usr/bin/bash:ro)
    "${shellless[@]}" --entrypoint /bin/sh patron:latest -c true 2> /dev/null && fail "there is a shell"
    "${shellless[@]}" patron:latest --help > /dev/null || fail "patron needs a shell"
    # Nobody answers it here, which it can tell.
    "${shellless[@]}" --entrypoint python patron:latest -IS /usr/local/lib/patron/probe.py /livez \
        || [ $? = 1 ] || fail "the probe needs a shell"
    say "no shell is needed"
}

the_image_says_what_it_is_built_from() {
    docker run --rm --network none --entrypoint python patron:latest -c '
import json
from importlib.metadata import distributions
bill = json.load(open("/usr/share/patron/sbom.cdx.json"))
listed = {(each["name"], each["version"]) for each in bill["components"]}
found = {(each.metadata["Name"].lower().replace("_", "-").replace(".", "-"), each.version)
         for each in distributions()}
extra = {name for name, _ in found - listed}
raise SystemExit(f"not in the bill: {extra}" if extra != {"patron"} else 0)' \
        || fail "the bill of materials"
    say "the image carries the bill of materials of all that is installed in it"
}

# With EXTRAS=tracing, and only then.
traces_are_an_extra() {
    local look='from importlib.util import find_spec; import sys; sys.exit(
        find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None)'
    docker run --rm --network none --entrypoint python patron-tracing:latest -c "$look" \
        || fail "EXTRAS=tracing brings no traces"
    docker run --rm --network none --entrypoint python patron:latest -c "$look" \
        && fail "the plain image holds what exports traces"
    docker run --rm --network none --entrypoint grep patron-tracing:latest -q \
        '"pkg:pypi/opentelemetry-sdk@' /usr/share/patron/sbom.cdx.json \
        || fail "the bill of materials says nothing of traces"
    say "with EXTRAS=tracing, and only then, there is what exports traces"
}
