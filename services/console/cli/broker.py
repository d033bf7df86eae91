"""`patron broker`: create and check what Patron needs on RabbitMQ."""

from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

import typer

from services.console.cli.failures import EXIT_FAILED, EXIT_PARTLY
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json, show_rows
from services.console.redacted import redacted_url
from shared.domain.errors import ConfigurationError
from shared.messaging import rights
from shared.messaging.connect import is_rabbitmq
from shared.messaging.provision import provision as provision_broker
from shared.messaging.provision import verify
from shared.messaging.rabbitmq.parameters import vhost_of
from shared.persistence import audit, owed

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


@app.command()
def republish(
    context: typer.Context,
    because: Annotated[
        str, typer.Option("--because", metavar="TEXT", help="Why; for the audit log.")
    ],
) -> None:
    """Have everything published again that is not done: the broker has lost its queues.

    The running workers do it, within seconds. Without it what was published is published again
    fifteen minutes later. Harmless at any time: what the broker has after all comes twice, and is
    known by its id.
    """
    with invocation(context).opened() as units, units.begin() as work:
        many = owed.publish_again(work)
        audit.note(
            work, actor=operator(), action="messages.published_again", subject="broker",
            reason=because, detail=str(many),
        )  # fmt: skip
    say(f"{many} messages will be published again")


@app.command()
def users(
    context: typer.Context,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="NAME", help="What the users' names begin with.")
    ] = "patron",
    output: OutputOption = Output.TABLE,
) -> None:
    """Print how to make a RabbitMQ user for each worker with the least rights; change nothing.

    For an administrator of the broker: commands of rabbitmqctl, which asks for each password, or
    with `-o json` calls of the management API, to whose users a password is to be added. Repeating
    them sets the same rights again.
    """
    call = invocation(context)
    is_there = is_rabbitmq(call.broker_url)
    vhost = vhost_of(urlsplit(call.broker_url)) if is_there else "/"
    if output is Output.JSON:
        show_json(rights.calls(vhost, prefix))
        return
    for command in rights.commands(vhost, prefix):
        say(command)
