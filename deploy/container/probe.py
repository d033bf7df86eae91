"""Ask the process in this container how it is: `probe.py PATH [PORT]`, exit 0 if it says 200.

Without a port it asks each worker's health port. One at least must answer and none may complain,
so one probe suits every role. Standard library only, and nothing leaves the container.
"""

import http.client
import os
import sys

DEFAULT_PORTS = {
    "IMPORTER": "9101",
    "PROCESSOR": "9102",
    "EXPORTER": "9103",
    "KEEPER": "9104",
}


def main(path: str, port: str | None = None) -> int:
    """Return the exit code: 0 is well."""
    statuses = {status_of(path, int(each)) for each in ([port] if port else health_ports())}
    return 0 if statuses - {None} == {http.client.OK} else 1


def health_ports() -> list[str]:
    """Return the health port of each role, as the environment sets it or by default."""
    return [
        os.environ.get(f"PATRON_HEALTH__{role}_PORT", default)
        for role, default in DEFAULT_PORTS.items()
    ]


def status_of(path: str, port: int) -> int | None:
    """Return what is answered, None if nobody listens, and 0 for anything else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
