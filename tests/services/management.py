"""What tests arrange on a broker: virtual hosts, users, permissions, policies.

Speaks RabbitMQ's management API, so that it serves a private node, a container and a
broker given by URL alike. Names are quoted; every call fails loudly.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

import httpx2

_DEFAULT_PORT = 15_672


class RabbitManagement:
    """The management API at `url`, for the administrator whose AMQP URL is `amqp_url`."""

    def __init__(self, amqp_url: str, url: str | None = None) -> None:
        parts = urlsplit(amqp_url)
        self._broker = parts
        self._user = unquote(parts.username or "guest")
        password = unquote(parts.password or "guest")
        self._url = (url or f"http://{parts.hostname}:{_DEFAULT_PORT}").rstrip("/")
        self._auth = httpx2.BasicAuth(self._user, password)
        # The machine's certificates, which take long to read, are of use to https only.
        self._verify = self._url.startswith("https:")

    @property
    def api_url(self) -> str:
        """The address of the management API."""
        return self._url

    def url(self, *, vhost: str = "/", user: str | None = None, password: str = "") -> str:
        """Return an AMQP URL for a virtual host, as the administrator or as another user."""
        own_account, _, address = self._broker.netloc.rpartition("@")
        account = own_account or "guest:guest"
        if user is not None:
            account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{self._broker.scheme}://{account}@{address}/{quote(vhost, safe='')}"

    def ping(self) -> None:
        """Raise unless the API answers and lets the administrator in."""
        self.call("GET", "whoami")

    @contextmanager
    def temporary_vhost(self) -> Iterator[str]:
        """Make a virtual host of its own for one test and yield the URL of it."""
        name = f"patron-test-{uuid4().hex[:12]}"
        self.add_vhost(name)
        try:
            yield self.url(vhost=name)
        finally:
            self.delete_vhost(name)

    def add_vhost(self, name: str) -> None:
        """Create a virtual host that the administrator may use."""
        self.call("PUT", "vhosts", name, json={})
        self.set_permissions(self._user, vhost=name)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host and everything in it."""
        self.call("DELETE", "vhosts", name)

    def add_user(self, name: str, password: str, *, tags: str = "") -> None:
        """Create a user, or change its password; it has no permissions yet."""
        self.call("PUT", "users", name, json={"password": password, "tags": tags})

    def delete_user(self, name: str) -> None:
        """Delete a user; its connections are closed."""
        self.call("DELETE", "users", name)

    def set_permissions(
        self,
        user: str,
        *,
        vhost: str = "/",
        configure: str = ".*",
        write: str = ".*",
        read: str = ".*",
    ) -> None:
        """Grant a user rights on a virtual host; all of them unless told otherwise."""
        rights = {"configure": configure, "write": write, "read": read}
        self.call("PUT", "permissions", vhost, user, json=rights)

    def clear_permissions(self, user: str, *, vhost: str = "/") -> None:
        """Take all of a user's rights on a virtual host away."""
        self.call("DELETE", "permissions", vhost, user)

    def set_policy(
        self,
        name: str,
        *,
        pattern: str,
        definition: Mapping[str, str | int],
        vhost: str = "/",
        apply_to: str = "queues",
    ) -> None:
        """Set a policy on every queue (or exchange) whose name matches the pattern."""
        policy = {"pattern": pattern, "definition": dict(definition), "apply-to": apply_to}
        self.call("PUT", "policies", vhost, name, json=policy)

    def call(self, method: str, *path: str, json: object = None) -> Any:
        """Make one call of the API; return the decoded answer, None when it has no body."""
        target = "/".join(quote(part, safe="") for part in path)
        response = httpx2.request(
            method,
            f"{self._url}/api/{target}",
            json=json,
            auth=self._auth,
            timeout=30,
            verify=self._verify,
        )
        response.raise_for_status()
        return response.json() if response.content else None
