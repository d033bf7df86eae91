"""`patron broker`: create and check what Patron needs on RabbitMQ."""

from dataclasses import asdict
from typing import Annotated

import typer

from services.console.cli.failures import EXIT_FAILED, EXIT_PARTLY
from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_rows
from services.console.redacted import redacted_url
from shared.domain.errors import ConfigurationError
from shared.messaging.connect import is_rabbitmq
from shared.messaging.provision import provision as provision_broker
from shared.messaging.provision import verify

app = typer.Typer(no_args_is_help=True, help="Prepare and check the message broker.")

_EMBEDDED = "needs no provisioning: an embedded broker declares its queues itself"


@app.command()
def provision(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be created; connect nowhere.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create exchanges, queues, bindings and policies on RabbitMQ.

    Only adds: what exists with other properties is named and left alone. Needs a user that may
    configure; the workers need none that may. Policies are set through broker.management_url, or
    by rabbitmqctl on this machine; otherwise the commands are printed, and the exit code is 3.
    To be run again whenever a channel is added.
    """
    call = invocation(context)
    topology = call.installation.topology
    if dry_run:
        if output is Output.JSON:
            show_json(asdict(topology))
        else:
            say(topology.describe())
        return
    where = redacted_url(call.broker_url)
    if not is_rabbitmq(call.broker_url):
        say(f"{where} {_EMBEDDED}")
        return
    management = call.installation.settings.broker.management_url
    policies = provision_broker(
        call.broker_url,
        topology,
        management_url=management.get_secret_value() if management else None,
    )
    say(f"{where} has {len(topology.exchanges)} exchanges and {len(topology.queues)} queues")
    if policies.by:
        say(f"{len(topology.policies)} policies set by {policies.by}")
        return
    say("The policies are still to be set, by an administrator of the broker:", "yellow")
    for command in policies.commands:
        say(command)
    raise typer.Exit(EXIT_PARTLY)


@app.command()
def check(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Verify that the exchanges and queues exist, with no right but to connect.

    Exits with 1 and names what is missing; with 75 if there is no broker.
    """
    call = invocation(context)
    where = redacted_url(call.broker_url)
    problem = None
    if is_rabbitmq(call.broker_url):
        try:
            verify(call.broker_url, call.installation.topology.queues)
        except ConfigurationError as error:
            problem = str(error)
    found = problem or ("in order" if is_rabbitmq(call.broker_url) else _EMBEDDED)
    row = {"broker": where, "in_order": problem is None, "found": found}
    show_rows([row], {"broker": "broker", "found": "found"}, output, nothing="")
    if problem:
        raise typer.Exit(EXIT_FAILED)
