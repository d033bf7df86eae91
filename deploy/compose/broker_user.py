"""Make the workers' RabbitMQ user: it reads and writes Patron's topology and configures nothing.

Runs once before the topology is provisioned, with the administrator's credentials; running it
again sets the same user, password and rights.
"""

import base64
import http.client
import json
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

RIGHTS = {
    "configure": "^$",
    # The default exchange takes the answers to other programs' requests.
    "write": r"^(patron\.customers|amq\.default)$",
    "read": r"^patron\.(importer|processor|exporter\.(?!dead$).+)$",
}


def main() -> None:
    """Set the user named in the workers' URL, and its rights on that URL's virtual host."""
    management, worker = secret("broker_management_url"), secret("broker_worker_url")
    user = quote(unquote(worker.username or ""), safe="")
    put(management, f"/api/users/{user}", {"password": unquote(worker.password or ""), "tags": ""})
    put(management, f"/api/permissions/{worker.path.removeprefix('/')}/{user}", RIGHTS)


def secret(name: str) -> SplitResult:
    """Return the URL that is mounted as this secret."""
    return urlsplit(Path("/run/secrets", name).read_text(encoding="utf-8").strip())


def put(management: SplitResult, path: str, body: dict[str, str]) -> None:
    """Set one resource of the management interface, or stop with what it answered."""
    credentials = f"{unquote(management.username or '')}:{unquote(management.password or '')}"
    headers = {
        "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
        "Content-Type": "application/json",
    }
    connection = http.client.HTTPConnection(management.hostname or "", management.port, timeout=30)
    connection.request("PUT", path, json.dumps(body), headers)
    status = connection.getresponse().status
    if status not in {http.client.CREATED, http.client.NO_CONTENT}:
        raise SystemExit(f"the broker answered {status} to PUT {path}")


if __name__ == "__main__":
    main()
