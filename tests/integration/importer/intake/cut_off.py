"""An intake that is killed between its commit and its answer: `python -m … DATABASE PORT_FILE`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.domain.messages import Parcel
from shared.persistence.engine import create_engine
from tests.integration.importer.intake.gate import Gate, crm_server
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock


class Killed(list[Parcel]):
    """An outbox whose first offer, right after the commit, is the process's end."""

    def extend(self, _parcels: Sequence[Parcel]) -> None:  # type: ignore[override]
        """End at once, as by a power cut."""
        os.kill(os.getpid(), signal.SIGKILL)


def main(database_url: str, port_file: str) -> None:
    """Serve until the first customer is committed."""
    station = Station(create_engine(database_url), SettableClock(), Killed())
    server = crm_server(Gate(station))
    Path(f"{port_file}.new").write_text(str(server.port), "utf-8")
    Path(f"{port_file}.new").rename(port_file)
    server.run(lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
