"""Sets the topology's policies on RabbitMQ, which AMQP cannot.

Through the management API when its address is given; else through `rabbitmqctl` when it talks to
the very node of the broker URL; else not at all, and the commands are returned for a person.
"""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import httpx2
import pika

from shared.domain.errors import AccessDenied, ConfigurationError
from shared.messaging.broker import BrokerUnavailable
from shared.messaging.rabbitmq.parameters import parameters_from
from shared.messaging.topology import Policy

HTTP_TIMEOUT_SECONDS = 30
COMMAND_TIMEOUT_SECONDS = 60
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class PoliciesSet:
    """How the policies were set; `commands` are left to be run by hand when they were not."""

    by: Literal["management", "rabbitmqctl"] | None
    commands: Sequence[str] = ()


def set_policies(
    url: str, policies: Sequence[Policy], *, management_url: str | None = None
) -> PoliciesSet:
    """Set the policies on the virtual host of `url`, the best way there is."""
    parameters = parameters_from(url, connection_name="patron: provision")
    if management_url is not None:
        with _api(management_url, parameters) as api:
            for policy in policies:
                api.call("PUT", f"{_policies_of(parameters)}/{policy.name}", _body_of(policy))
        return PoliciesSet("management")
    commands = [command_for(policy, parameters.virtual_host) for policy in policies]
    if _is_node_of(parameters) and all(
        _rabbitmqctl(*command[1:]) is not None for command in commands
    ):
        return PoliciesSet("rabbitmqctl")
    return PoliciesSet(None, [shlex.join(command) for command in commands])


def differences(url: str, policies: Sequence[Policy], management_url: str) -> list[str]:
    """Say what about the broker's policies is not as it should be; nothing if all is well.

    Read through the management API; AMQP does not show policies.
    """
    parameters = parameters_from(url, connection_name="patron: policies")
    with _api(management_url, parameters) as api:
        found = {each["name"]: each for each in api.call("GET", _policies_of(parameters)).json()}
    return [text for policy in policies for text in _difference(policy, found.get(policy.name))]


def _difference(policy: Policy, found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        yield f"the policy {policy.name} is missing"
        return
    if found["pattern"] != policy.pattern:
        yield f"the policy {policy.name} has the pattern {found['pattern']}, not {policy.pattern}"
    for key, wanted in policy.definition.items():
        value = found["definition"].get(key)
        if value != wanted:
            yield f"the policy {policy.name} has {key} = {value}, not {wanted}"


def command_for(policy: Policy, vhost: str) -> list[str]:
    """Return the `rabbitmqctl` command that sets a policy, word by word."""
    return [
        "rabbitmqctl",
        "set_policy",
        "-p",
        vhost,
        "--apply-to",
        "queues",
        policy.name,
        policy.pattern,
        json.dumps(dict(policy.definition)),
    ]


def _policies_of(parameters: pika.ConnectionParameters) -> str:
    return f"policies/{quote(parameters.virtual_host, safe='')}"


class _Api:
    """The management API, in the words of the port."""

    def __init__(self, client: httpx2.Client, base: str) -> None:
        self._client = client
        self._base = base

    def call(self, method: str, path: str, body: object = None) -> httpx2.Response:
        try:
            answer = self._client.request(method, f"{self._base}/api/{path}", json=body)
        except httpx2.TransportError as error:
            raise BrokerUnavailable(
                f"the management API does not answer ({type(error).__name__})"
            ) from None
        if answer.status_code in {401, 403}:
            raise AccessDenied("the management API refuses the user: it needs the tag policymaker")
        if not answer.is_success:
            raise ConfigurationError(f"the management API answers {answer.status_code} to {path}")
        return answer


@contextmanager
def _api(address: str, parameters: pika.ConnectionParameters) -> Iterator[_Api]:
    """Give the API, as the user of the management address or else of the broker URL."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError("management URL: neither http nor https")
    user = unquote(parts.username) if parts.username else parameters.credentials.username
    password = unquote(parts.password) if parts.password else parameters.credentials.password
    base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    verify = parts.scheme == "https"  # certificates take long to read, and http has no use for them
    with httpx2.Client(
        auth=(user, password), timeout=HTTP_TIMEOUT_SECONDS, verify=verify
    ) as client:
        yield _Api(client, base)


def _body_of(policy: Policy) -> dict[str, object]:
    return {
        "pattern": policy.pattern,
        "definition": dict(policy.definition),
        "apply-to": "queues",
        "priority": 0,
    }


def _is_node_of(parameters: pika.ConnectionParameters) -> bool:
    """Whether the local `rabbitmqctl` commands the node that listens at the broker URL.

    Only then: the wrong broker's policies are nobody's to touch.
    """
    if parameters.host not in _LOOPBACK or shutil.which("rabbitmqctl") is None:
        return False
    status = _rabbitmqctl("status", "--formatter", "json")
    try:
        listeners = json.loads(status or "{}").get("listeners", ())
    except ValueError:
        return False
    return any(each.get("port") == parameters.port for each in listeners)


def _rabbitmqctl(*arguments: str) -> str | None:
    """Run `rabbitmqctl`; return what it printed, or None if it failed."""
    program = shutil.which("rabbitmqctl")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            [program, "--quiet", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
