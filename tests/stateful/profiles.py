"""How much Hypothesis tries, the same on every run, and what each example starts with."""

from typing import Final

import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from shared.persistence.tables import metadata

THOROUGH: Final = settings(
    max_examples=80,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
BRIEF: Final = settings(THOROUGH, max_examples=15, stateful_step_count=30)


def emptied(engine: sa.Engine) -> sa.Engine:
    """Return the engine, its tables empty."""
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return engine
