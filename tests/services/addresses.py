"""Where a service is: the addresses a run was given, or that a provider reports."""

import os
from collections.abc import Mapping

Addresses = Mapping[str, str]
"""Environment variable to URL, for one service."""

AMQP = "PATRON_TEST_AMQP_URL"
MANAGEMENT = "PATRON_TEST_RABBITMQ_MANAGEMENT_URL"
DATABASE = "PATRON_TEST_DATABASE_URL"

VARIABLES = {"rabbitmq": (AMQP, MANAGEMENT), "postgres": (DATABASE,)}
"""The variables of each service; the first of them says whether it is given at all."""


def given(service: str) -> Addresses | None:
    """Return the addresses of a service named in the environment, None if it is not."""
    variables = VARIABLES[service]
    if not os.environ.get(variables[0]):
        return None
    return {name: os.environ[name] for name in variables if os.environ.get(name)}
