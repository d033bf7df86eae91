"""The benchmark against task frameworks does what it measures: everybody, a little."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.installation import Installation, installed
from benchmarks.peers import contest
from benchmarks.peers.catalogue import PEERS, PLAIN, PYTHON, Peer
from benchmarks.peers.figures import OURS

pytestmark = [pytest.mark.e2e, pytest.mark.amqp, pytest.mark.postgres]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Private servers, as the benchmark starts them."""
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)) as servers:
        yield servers


@pytest.fixture(
    params=[peer for peer in PEERS if peer.variant != PLAIN], ids=lambda peer: peer.title
)
def peer(request: pytest.FixtureRequest) -> Peer:
    """Everybody for whom there is an environment, at their best."""
    chosen: Peer = request.param
    if chosen.name != OURS and not PYTHON.exists():
        pytest.skip("no .venv-peers: `make bench` makes it")
    return chosen


def test_everybody_does_the_same_work(installation: Installation, peer: Peer) -> None:
    """Whoever takes part handles each message once: tables and next queue are as they must be."""
    outcome = contest.run(installation, peer, messages=40, processes=1, warm_up=10)

    assert outcome.messages == 40
    assert outcome.seconds > 0
