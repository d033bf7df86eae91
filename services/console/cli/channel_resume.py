"""`patron channel resume`: going on before a pause is over."""

from typing import Annotated

import typer

from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import say
from services.console.cli.reading import known_channel
from shared.persistence import audit, pauses


def resume(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel that waits.")],
) -> None:
    """Go on with a channel that is paused, without waiting for the next look at its shop.

    Its messages are due at once. A pause ends by itself as well, when the shop answers or its
    set-up is mended; if neither is so yet, the channel is paused again. Written to the audit log.
    """
    call = invocation(context)
    name = known_channel(call.installation, channel)
    with call.opened() as units, units.begin() as work:
        pause = pauses.active(work).get(name)
        if pause is None:
            raise Refused(
                f"{name} is not paused", "`patron queues` shows what waits, and for what."
            )
        due = pauses.resume(work, name)
        audit.note(
            work,
            actor=operator(),
            action="channel.resumed",
            subject=name,
            detail=f"was paused for {pause.reason}",
        )
    say(f"{name} goes on; {due} messages are due now")
