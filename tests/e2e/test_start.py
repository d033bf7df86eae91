"""What a worker says when it cannot start, and how it ends."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import Deployment
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(120)


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start a processor that is expected to give up."""
    return subprocess.run(
        [sys.executable, "-m", "services.processor"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def deployment(
    tmp_path: Path,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    database_url: str,
    shop: SandboxMagento,
) -> Iterator[Deployment]:
    """Give a deployment with nothing provisioned and nothing migrated."""
    deployment = Deployment(
        tmp_path,
        amqp_url=amqp_vhost,
        management=rabbit_management,
        database_url=database_url,
        shop=shop,
    )
    yield deployment
    deployment.engine.dispose()


def test_a_worker_without_its_queues_names_the_command_that_makes_them(
    deployment: Deployment,
) -> None:
    """Nothing provisioned: exit 2, and what to run."""
    ended = start({**deployment.environment, "PATRON_BROKER__URL": deployment.amqp_url})

    assert ended.returncode == 2
    assert "patron.processor" in ended.stderr
    assert "patron broker provision" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_on_an_unmigrated_database_names_the_command(deployment: Deployment) -> None:
    """Nothing migrated: exit 2, and what to run."""
    with deployment:
        ended = start(deployment.environment)

    assert ended.returncode == 2
    assert "patron db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_without_a_database_may_be_started_again(deployment: Deployment) -> None:
    """No database: exit 75, so that a supervisor tries again; no password in the text."""
    nowhere = "postgresql://patron:s3cret@127.0.0.1:1/patron"
    with deployment:
        ended = start({**deployment.environment, "PATRON_DATABASE__URL": nowhere})

    assert ended.returncode == 75
    assert "database_unavailable" in ended.stderr
    assert "s3cret" not in ended.stderr


def test_a_worker_with_a_bad_configuration_names_every_problem(deployment: Deployment) -> None:
    """Wrong keys and values: exit 2, each with its key."""
    with deployment:
        ended = start(
            {
                **deployment.environment,
                "PATRON_PROCESSOR__BATCH_SIZE": "many",
                "PATRON_LOGS__LEVEL": "loud",
            }
        )

    assert ended.returncode == 2
    assert "processor.batch_size" in ended.stderr
    assert "logs.level" in ended.stderr
