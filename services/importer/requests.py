"""Imports on demand: what an operator or another system asks for is due now (C365-8).

The request only makes store views due; they are read on the ordinary path, so asking twice, or
while an import runs, is harmless.
"""

from collections.abc import Sequence
from typing import Any

from shared.domain.errors import UnknownType
from shared.domain.messages import Envelope, ImportRequested
from shared.persistence.cursors import Cursors
from shared.persistence.unit_of_work import UnitOfWork


def take_requests(messages: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
    """Make due what was asked for. Raises `UnknownType` for a message of another kind."""
    for message in messages:
        body = message.body
        if not isinstance(body, ImportRequested):
            raise UnknownType(f"the importer does not take {message.type}")
        Cursors(work).request_now(body.channel, body.store_view, sweep=body.sweep)
