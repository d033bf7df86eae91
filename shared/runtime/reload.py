"""The configuration, read again while the work goes on: what comes of a SIGHUP (C365-21).

Its promise: what cannot be used is refused with every problem named and no value told, and the
configuration in force stays; what is accepted can be started on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from shared.config import ConfigurationInvalid, Problem, Settings
from shared.domain.errors import ConfigurationError, TransientError
from shared.messaging.connect import is_rabbitmq
from shared.runtime.installation import Installation

Load = Callable[[], Installation]
Verify = Callable[[Installation], None]

_log = structlog.get_logger()


@dataclass
class Reload:
    """What to start on next, once something new was accepted.

    `load` reads the configuration from where the one in force came from; `verify` raises
    `ConfigurationError` for what broker or database are not prepared for.
    """

    in_force: Installation
    load: Load
    verify: Verify
    accepted: Installation | None = field(default=None, init=False)

    def is_to_start_anew(self) -> bool:
        """Read the configuration again; whether it is another one, and can be used."""
        try:
            new = self.load()
            if new == self.in_force:
                _log.info("configuration.unchanged", config_version=new.policy.version)
                return False
            refuse_moves(self.in_force.settings, new.settings)
            self.verify(new)
        except ConfigurationInvalid as error:
            tell_refused([str(problem) for problem in error.problems])
            return False
        except (ConfigurationError, TransientError) as error:
            tell_refused([str(error)])
            return False
        self.accepted = new
        _log.info(
            "configuration.reloaded",
            config_version=new.policy.version,
            config_version_before=self.in_force.policy.version,
            tables=list(_changed_tables(self.in_force, new)),
        )
        return True


def tell_refused(problems: list[str]) -> None:
    """Say why a configuration is not used; the work goes on with the one before."""
    _log.error("configuration.refused", problems=problems)


def refuse_moves(before: Settings, after: Settings) -> None:
    """Raise `ConfigurationInvalid` if what lives inside this process would move elsewhere.

    The state of an SQLite file and the messages of an embedded broker belong to the process that
    runs on them; on servers other addresses and credentials can be taken up at any time.
    """
    moved = [
        Problem("patron", f"{name}.url", "a change needs a restart, with an embedded one")
        for name, is_embedded, old, new in (
            ("database", _is_sqlite, before.database.url, after.database.url),
            ("broker", _is_embedded_broker, before.broker.url, after.broker.url),
        )
        if old != new
        and (is_embedded(old.get_secret_value()) or is_embedded(new.get_secret_value()))
    ]
    if moved:
        raise ConfigurationInvalid(moved)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _is_embedded_broker(url: str) -> bool:
    return not is_rabbitmq(url)


def _changed_tables(before: Installation, after: Installation) -> Iterator[str]:
    """Name the tables of the configuration that are not what they were."""
    for name in Settings.model_fields:
        if getattr(before.settings, name) != getattr(after.settings, name):
            yield name
    if (
        before.connectors != after.connectors
        and before.settings.channels == after.settings.channels
    ):
        yield "channels"
