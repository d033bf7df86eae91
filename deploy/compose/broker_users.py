"""Make the RabbitMQ users of compose.yaml, each with the rights that `patron broker users` names.

Runs once before the topology is provisioned, with the administrator's credentials. Every user whose
address is mounted is made, with the name and the password that stand there; running it again sets
the same users, passwords and rights.
"""

import base64
import http.client
import json
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from shared.messaging.rights import USERS

SECRETS = Path("/run/secrets")


def main(secrets: Path = SECRETS) -> None:
    """Set the user named in each address, and its rights on that address's virtual host."""
    management = address(secrets / "broker_admin")
    for user in USERS:
        if not (mounted := secrets / f"broker_{user.name}").exists():
            continue
        url = address(mounted)
        name = quote(unquote(url.username or ""), safe="")
        account = {"password": unquote(url.password or ""), "tags": user.tags}
        put(management, f"/api/users/{name}", account)
        put(management, f"/api/permissions/{url.path.removeprefix('/')}/{name}", user.rights)


def address(secret: Path) -> SplitResult:
    """Return the URL in this file."""
    return urlsplit(secret.read_text(encoding="utf-8").strip())


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
    connection.close()
    if status not in {http.client.CREATED, http.client.NO_CONTENT}:
        raise SystemExit(f"the broker answered {status} to PUT {path}")


if __name__ == "__main__":
    main()
