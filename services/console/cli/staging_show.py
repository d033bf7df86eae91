"""`patron staging show` and `explain`: one record, and why it is where it is."""

from dataclasses import asdict
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
import typer

from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    say,
    show_json,
    show_record,
    show_rich,
    show_rows,
    table_of,
)
from services.console.cli.staging_steps import steps
from services.console.explained import candidates_of, customer_of
from shared.domain.customer import Address, Contact, Customer
from shared.persistence import directory_reader, staging
from shared.persistence.directory_reader import VisitingCard
from shared.persistence.staging import StagingRecord
from shared.persistence.unit_of_work import UnitOfWork

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="As `staging list` shows it.")]

_CANDIDATE_COLUMNS: Final = {
    "candidate": "no.",
    "number": "number",
    "name": "name",
    "company_name": "company",
    "email": "e-mail",
    "phone": "phone",
    "place": "place",
    "accounts": "accounts",
}
_ADDRESS_COLUMNS: Final = {
    "external_id": "id there",
    "location_name": "location",
    "is_default_billing": "billing",
    "is_default_shipping": "shipping",
    "name": "name",
    "company_name": "company",
    "lines": "street",
    "postcode": "postcode",
    "city": "city",
    "region": "region",
    "country": "country",
    "phone": "phone",
}


def show(
    context: typer.Context,
    staging_id: IdArgument,
    *,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="All addresses, not only the two defaults.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one record: the customer as imported, with both default addresses, and the decision."""
    with invocation(context).reading() as work:
        record = found(work, staging_id)
        decision = explained(record, work)
    head = {**asdict(record.line), "correlation_id": record.correlation_id}
    customer = customer_of(record)
    if output is Output.JSON:
        imported = orjson.loads(customer.to_json()) if customer else None
        show_json({**head, "decision": asdict(decision), "customer": imported})
        return
    show_record(head, output)
    if customer:
        say()
        show_record(_card(customer), output)
    if customer and addresses:
        say("\nAddresses", "bold")
        rows = [_address_row(address) for address in customer.addresses]
        show_rows(rows, _ADDRESS_COLUMNS, output, nothing="none")
    say()
    show_rich(laid_out(decision))


def explain(
    context: typer.Context, staging_id: IdArgument, output: OutputOption = Output.TABLE
) -> None:
    """Explain one record: why it is where it is, whom it may be, and what to do now.

    Which rules were tried with what evidence, who the candidates are, which template was chosen,
    by which version of the configuration, and the commands that take it on.
    """
    with invocation(context).reading() as work:
        record = found(work, staging_id)
        decision = explained(record, work)
        cards = candidates(work, record)
    line = record.line
    ways = steps(line, [card for _, card in cards])
    rows = [
        {"candidate": position, **(asdict(card) if card else {"id": id_, "name": "does not exist"})}
        for position, (id_, card) in enumerate(cards, start=1)
    ]
    if output is Output.JSON:
        told = {"candidates": rows, "steps": [asdict(step) for step in ways]}
        show_json({**asdict(line), "decision": asdict(decision), **told})
        return
    say(f"{line.channel}/{line.external_id} of store view {line.store_view}, {line.state}")
    show_rich(laid_out(decision))
    if rows:
        say("\nWhom the rules found, below the customer as imported", "bold")
        show_rich(table_of([*_imported(record), *rows], _CANDIDATE_COLUMNS))
    say("\nWhat can be done", "bold")
    for step in ways:
        say(f"# {step.effect}", "dim")
        say(step.command)


def found(work: UnitOfWork, staging_id: UUID) -> StagingRecord:
    """Return a record. Raises `Refused` if there is none."""
    record = staging.get(work, staging_id)
    if record is None:
        raise Refused(
            f"there is no staging record {staging_id}", "`patron staging list` shows which are."
        )
    return record


def candidates(work: UnitOfWork, record: StagingRecord) -> list[tuple[UUID, VisitingCard | None]]:
    """Return whom the rules found, in their order; None for one who is gone meanwhile."""
    ids = candidates_of(record)
    cards = directory_reader.visiting_cards(work, ids)
    return [(id_, cards.get(id_)) for id_ in ids]


def _imported(record: StagingRecord) -> list[dict[str, Any]]:
    """Return the imported customer as a row that can be compared with its candidates."""
    customer, line = customer_of(record), record.line
    if customer is None:
        return []
    card = _card(customer)
    address = customer.default_billing or next(iter(customer.addresses), None)
    return [
        {
            "candidate": "",
            "number": customer.customer_number,
            "name": card["name"],
            "company_name": customer.company_name,
            "email": customer.email,
            "phone": card["phone"],
            "place": address and ", ".join(filter(None, (_town(address), address.country))),
            "accounts": [f"{line.channel}/{line.external_id}"],
        }
    ]


def _card(customer: Customer) -> dict[str, Any]:
    """Return what people look for first: who it is, and the two default addresses."""
    names = (customer.prefix, customer.first_name, customer.middle_name, customer.last_name)
    return {
        "kept_as": customer.entity.value,
        "kind": customer.kind.value,
        "name": " ".join(filter(None, names)),
        "company": customer.company_name,
        "email": customer.email,
        "phone": customer.phone and (customer.phone.e164 or customer.phone.raw),
        "group": customer.group,
        "tax_id": customer.tax_id,
        "number_there": customer.customer_number,
        "default_billing": _place(customer.default_billing),
        "default_shipping": _place(customer.default_shipping),
        "addresses": len(customer.addresses),
        "contacts": [_contact(contact) for contact in customer.contacts],
        "acts_for": list(customer.companies),
        "warnings": [f"{warning.field}: {warning.problem}" for warning in customer.warnings],
    }


def _contact(contact: Contact) -> str:
    return " ".join(filter(None, (contact.first_name, contact.last_name, contact.email)))


def _place(address: Address | None) -> str | None:
    if address is None:
        return None
    names = " ".join(filter(None, (address.first_name, address.last_name)))
    region = address.region or address.region_code
    parts = (names, address.company_name, *address.lines, _town(address), region, address.country)
    return ", ".join(filter(None, parts))


def _town(address: Address) -> str:
    return " ".join(filter(None, (address.postcode, address.city)))


def _address_row(address: Address) -> dict[str, Any]:
    return {
        **address.model_dump(include=set(_ADDRESS_COLUMNS)),
        "name": " ".join(filter(None, (address.first_name, address.last_name))),
        "region": address.region or address.region_code,
        "phone": address.phone and (address.phone.e164 or address.phone.raw),
    }
