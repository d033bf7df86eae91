"""Who may do what on RabbitMQ: a user for each process, with the rights it needs and no others.

For `patron broker users`, and for whoever sets users up. Its promise: only the provisioner may
configure anything, and that is ours; no worker may read a dead queue.
"""

import shlex
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from shared.messaging.topology import WORKERS

NOTHING: Final = "^$"
# The default exchange takes the answers to other programs' requests.
PUBLISH: Final = "^(patron[.]customers|amq[.]default)$"
OURS: Final = "^patron[.].+$"


@dataclass(frozen=True, slots=True)
class User:
    """A user and the names it may write to and read from, as regular expressions."""

    name: str
    write: str = NOTHING
    read: str = NOTHING
    configure: str = NOTHING
    tags: str = ""

    @property
    def rights(self) -> dict[str, str]:
        """The rights as RabbitMQ takes them."""
        return {"configure": self.configure, "write": self.write, "read": self.read}


USERS: Final = (
    # A policymaker sets policies by the management interface.
    User("provisioner", OURS, OURS, OURS, tags="policymaker"),
    User("importer", PUBLISH, "^patron[.]importer$"),
    User("processor", PUBLISH, "^patron[.]processor$"),
    User("exporter", PUBLISH, "^patron[.]exporter[.](?!dead$).+$"),
    User("keeper", NOTHING, f"^patron[.]({'|'.join(WORKERS)})[.]dead$"),
    # Another team's program.
    User("publisher", "^patron[.]customers$"),
    # Sees how long queues are, by asking whether they are there.
    User("watcher"),
)


def commands(vhost: str, prefix: str) -> list[str]:
    """Return what to say to `rabbitmqctl`; it asks for the passwords itself."""
    return [
        shlex.join(["rabbitmqctl", *words])
        for user in USERS
        for name in [f"{prefix}-{user.name}"]
        for words in (
            ["add_user", name],
            *([["set_user_tags", name, user.tags]] if user.tags else []),
            ["set_permissions", "--vhost", vhost, name, *user.rights.values()],
        )
    ]


def calls(vhost: str, prefix: str) -> list[dict[str, Any]]:
    """Return the same as calls of the management API; a password is to be added to each user."""
    made = []
    for user in USERS:
        name = quote(f"{prefix}-{user.name}", safe="")
        made += [
            {"method": "PUT", "path": f"/api/users/{name}", "body": {"tags": user.tags}},
            {
                "method": "PUT",
                "path": f"/api/permissions/{quote(vhost, safe='')}/{name}",
                "body": user.rights,
            },
        ]
    return made
