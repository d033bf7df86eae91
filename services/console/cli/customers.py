"""`patron customer`: who it is, why it was decided so, what happened to it; export and erasure."""

from dataclasses import asdict

import typer

from services.console.cli.customer_history import customer_history
from services.console.cli.customer_privacy import erase_customer, export_customer
from services.console.cli.customer_show import show_customer
from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_rich
from services.console.cli.persons import CustomerArgument, found, said_last
from shared.domain.customer import SourceKey
from shared.persistence import person, staging
from shared.persistence.person import Person
from shared.persistence.staging import StagingRecord
from shared.persistence.unit_of_work import UnitOfWork

app = typer.Typer(no_args_is_help=True, help="Ask about one customer; export or erase it.")
app.command("show")(show_customer)


@app.command("explain")
def explain_customer(
    context: typer.Context, customer: CustomerArgument, output: OutputOption = Output.TABLE
) -> None:
    """Explain the last decision about a customer.

    Which matching rules were tried with what evidence, whom they found, which template was
    chosen, what was changed, and by which version of the configuration. Of a customer with
    several accounts the one that was decided last is explained; name an account for its own.
    """
    call = invocation(context)
    with call.reading() as work:
        record = _decided_last(work, customer, found(call, work, customer))
        decision = explained(record, work)
    if output is Output.JSON:
        show_json({**asdict(record.line), "decision": asdict(decision)})
        return
    line = record.line
    say(f"{line.channel}/{line.external_id} of store view {line.store_view}")
    show_rich(laid_out(decision))
    say(f"decided         {line.updated_at:%Y-%m-%d %H:%M:%S}Z, staging record {line.id}")


app.command("history")(customer_history)
app.command("export")(export_customer)
app.command("erase")(erase_customer)


def _decided_last(work: UnitOfWork, name: str, someone: Person) -> StagingRecord:
    accounts = (_meant(name, someone),) if _meant(name, someone) else someone.accounts
    records = [staging.latest_of(work, *account) for account in accounts if account]
    decided = [record for record in records if record]
    if not decided:
        said = said_last(work, someone)
        raise Refused(f"no decision about {name} is kept" + (f"; last: {said}" if said else ""))
    return max(decided, key=lambda record: record.line.updated_at)


def _meant(name: str, someone: Person) -> SourceKey | None:
    """Return the account that was named, if one was."""
    return person.account_named(name) if name != someone.number else None
