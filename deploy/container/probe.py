"""Ask the worker in this container how it is: exit 0 if `GET <path>` on its health port says 200.

Standard library only and no proxy, so a probe costs milliseconds and never leaves the container.
"""

import http.client
import os
import sys


def is_well(path: str) -> bool:
    """Say whether the health port answers 200 within three seconds."""
    port = int(os.environ.get("PATRON_HEALTH__PORT", "9101"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_well(sys.argv[1]) else 1)
