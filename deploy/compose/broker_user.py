"""Make the RabbitMQ users of workers and keeper: they use Patron's topology and configure nothing.

Workers read their queues and write to the exchange; the keeper reads the dead queues, and they do
not. Runs once before the topology is provisioned, with the administrator's credentials; running it
again sets the same users, passwords and rights.
"""

import base64
import http.client
import json
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

RIGHTS = {
    "broker_worker_url": {
        "configure": "^$",
        # The default exchange takes the answers to other programs' requests.
        "write": r"^(patron\.customers|amq\.default)$",
        "read": r"^patron\.(importer|processor|exporter\.(?!dead$).+)$",
    },
    "broker_keeper_url": {
        "configure": "^$",
        "write": "^$",
        "read": r"^patron\.(importer|processor|exporter)\.dead$",
    },
}


def main() -> None:
    """Set the user named in each URL, and its rights on that URL's virtual host."""
    management = secret("broker_management_url")
    for name, rights in RIGHTS.items():
        url = secret(name)
        user = quote(unquote(url.username or ""), safe="")
        account = {"password": unquote(url.password or ""), "tags": ""}
        put(management, f"/api/users/{user}", account)
        put(management, f"/api/permissions/{url.path.removeprefix('/')}/{user}", rights)


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
