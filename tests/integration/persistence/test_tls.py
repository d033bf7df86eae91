"""PostgreSQL over TLS: with `verify-full` the server is known by its authority and its name."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine
from shared.persistence.failures import DatabaseUnavailable
from shared.persistence.unit_of_work import UnitsOfWork
from tests.services import PostgresCluster


def a_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for a host; return the paths of it and of its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    words = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} "
        f"-addext subjectAltName=DNS:{name} -keyout {key} -out {certificate}"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where the certificates are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def cluster(directory: Path) -> Iterator[PostgresCluster]:
    """Give a server that speaks TLS and proves to be `localhost`."""
    certificate, key = a_certificate(directory, "localhost")
    settings = {"ssl": "on", "ssl_cert_file": "'localhost.pem'", "ssl_key_file": "'localhost.key'"}
    cluster = PostgresCluster(durable=False, settings=settings)
    data = cluster.directory / "data"
    owner = data.stat()
    for file in (certificate, key):
        copy = data / file.name
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o600)
        os.chown(copy, owner.st_uid, owner.st_gid)
    with cluster:
        yield cluster


def url(cluster: PostgresCluster, host: str, authority: Path) -> str:
    """Return the URL by which an operator would configure it."""
    address = sa.make_url(cluster.url()).set(host=host)
    options = {"sslmode": "verify-full", "sslrootcert": str(authority)}
    return address.update_query_dict(options).render_as_string(hide_password=False)


def test_a_server_known_to_the_authority_is_used(cluster: PostgresCluster, directory: Path) -> None:
    """By its name, and the session is encrypted."""
    engine = create_engine(url(cluster, "localhost", directory / "localhost.pem"))

    with UnitsOfWork(engine).read() as work:
        query = sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        is_encrypted = work.connection.execute(query).scalar_one()
    engine.dispose()

    assert is_encrypted


@pytest.mark.parametrize(
    ("host", "authority"), [("127.0.0.1", "localhost"), ("localhost", "other")]
)
def test_an_unknown_server_is_refused(
    cluster: PostgresCluster, directory: Path, host: str, authority: str
) -> None:
    """Under another name, and by another authority; the text has no password."""
    a_certificate(directory, "other")
    engine = create_engine(url(cluster, host, directory / f"{authority}.pem"))

    with pytest.raises(DatabaseUnavailable) as refusal, UnitsOfWork(engine).read():
        pass
    engine.dispose()

    assert str(sa.make_url(cluster.url()).password) not in f"{refusal.value!r} {refusal.value}"
