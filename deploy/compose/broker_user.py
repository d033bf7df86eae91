"""Make the workers' RabbitMQ user: it reads and writes Patron's topology and configures nothing.

Runs once before the topology is provisioned, with the administrator's credentials; running it
again sets the same user, password and rights.
"""

import base64
import http.client
import json
import os
from urllib.parse import quote

VHOST = quote("/", safe="")
RIGHTS = {
    "configure": "^$",
    "write": r"^patron\.(customers|dead)$",
    "read": r"^patron\.((importer|processor|exporter\..+)|(importer|processor|exporter)\.dead)$",
}


def put(path: str, body: dict[str, str]) -> None:
    """Set one resource of the management interface, or stop with what it answered."""
    connection = http.client.HTTPConnection(os.environ["BROKER_HOST"], 15672, timeout=30)
    connection.request("PUT", path, json.dumps(body), headers())
    status = connection.getresponse().status
    if status not in {http.client.CREATED, http.client.NO_CONTENT}:
        raise SystemExit(f"the broker answered {status} to PUT {path}")


def headers() -> dict[str, str]:
    """Identify as the administrator."""
    credentials = f"{os.environ['BROKER_ADMIN']}:{os.environ['BROKER_ADMIN_PASSWORD']}"
    return {
        "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
        "Content-Type": "application/json",
    }


if __name__ == "__main__":
    worker = quote(os.environ["BROKER_WORKER"], safe="")
    put(f"/api/users/{worker}", {"password": os.environ["BROKER_WORKER_PASSWORD"], "tags": ""})
    put(f"/api/permissions/{VHOST}/{worker}", RIGHTS)
