"""Real services for tests, benchmarks and fault injection: RabbitMQ and PostgreSQL.

`RabbitNode` and `PostgresCluster` are private instances with their own ports, data and
life; they may be killed without hurting anybody. The promise: whatever is started here
ends with the process that started it, however that process ends.
"""

from tests.services.errors import ServiceUnavailable
from tests.services.management import RabbitManagement
from tests.services.postgres import Databases, PostgresCluster
from tests.services.rabbitmq import RabbitNode

__all__ = [
    "Databases",
    "PostgresCluster",
    "RabbitManagement",
    "RabbitNode",
    "ServiceUnavailable",
]
