"""`patron customer show`: all that the directory and the shops know of a customer (C365-14)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.console.cli.customer_history import headline
from services.console.cli.invocation import invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    readable,
    say,
    show_json,
    show_record,
    show_rich,
    table_of,
)
from services.console.cli.persons import CustomerArgument, found
from shared.persistence import customer_reader, person
from shared.persistence.contacts import ContactLine
from shared.persistence.customer_reader import CustomerView

_LINKS = {
    "channel": "shop",
    "external_id": "customer there",
    "status": "link",
    "store_view": "store view",
    "customer_group": "group",
    "exported_number": "number written back",
    "changed_at": "last change taken over",
}
_WAITING = {
    "channel": "shop",
    "external_id": "customer there",
    "state": "state",
    "reason": "reason",
    "created_at": "since",
    "id": "staging record",
}
_LETTERS = {
    "worker": "worker",
    "channel": "shop",
    "subject": "customer there",
    "reason": "reason",
    "last_failed_at": "last failed",
    "id": "dead letter",
}
_ADDRESSES = {
    "location": "location",
    "default": "default",
    "name": "name",
    "lines": "street",
    "town": "town",
    "region": "region",
    "country": "country",
    "phone": "telephone",
    "tax_id": "tax id",
    "channel": "from",
}
_CONTACTS = {
    "is_main": "main",
    "name": "name",
    "role": "role",
    "email": "e-mail",
    "phone": "telephone",
    "account": "account",
    "channel": "from",
}


def show_customer(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Also what each shop sent last, in its own words.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a customer: its data and addresses, its accounts in all shops, what waits, what failed.

    The number leads to the accounts, and any account to the number. It prints personal data.
    """
    call = invocation(context)
    with call.reading() as work:
        someone = found(call, work, customer)
        view = customer_reader.view(work, someone, with_raw=raw)
        others = person.once_taken_for(work, someone)
    if output is Output.JSON:
        show_json(_document(view))
        return
    say(headline(view.person), "bold")
    if view.card and not view.person.is_erased:
        show_record(_said(view), output)
        _show("Addresses", [_address(each) for each in view.card.addresses], _ADDRESSES)
        _show("Contacts", [_contact(each) for each in view.card.contacts], _CONTACTS)
    _show("Accounts", [asdict(link) for link in view.links], _LINKS)
    _show("Waiting", [asdict(line) for line in view.waiting], _WAITING)
    _show("Given up", [asdict(letter) for letter in view.dead_letters], _LETTERS)
    if others:
        say(f"\nOnce taken for this customer: {', '.join(map(str, others))}")
    if view.person.guests:
        say(f"\nIt stands for {view.person.guests} guests, each an account of its own.")
    if view.person.buyers:
        say(f"\nAccounts that act for it and carry its number: {view.person.buyers}.")
    if raw:
        _show_raw(view)


def _document(view: CustomerView) -> dict[str, Any]:
    card = view.card
    return {
        "number": view.person.number,
        "id": view.person.customer_id,
        "state": view.person.state,
        "fields": card.fields if card else {},
        "defaults": view.defaults,
        "addresses": list(card.addresses) if card else [],
        "contacts": [asdict(contact) for contact in card.contacts] if card else [],
        "accounts": [str(account) for account in view.person.accounts],
        "links": [asdict(link) for link in view.links],
        "waiting": [asdict(line) for line in view.waiting],
        "dead_letters": [asdict(letter) for letter in view.dead_letters],
        "guests": view.person.guests,
        "buyers": view.person.buyers,
        "raw_payloads": [asdict(payload) for payload in view.raw],
    }


def _said(view: CustomerView) -> dict[str, Any]:
    """Return the fields that have a value, without those that only matching uses."""
    fields = view.card.fields if view.card else {}
    said = {
        name: value
        for name, value in fields.items()
        if value is not None and not name.endswith("_key") and not isinstance(value, bytes)
    }
    return said | {f"default {name}": value for name, value in view.defaults.items()}


def _address(address: Mapping[str, Any]) -> dict[str, Any]:
    flags = ("billing", "shipping")
    names = ("prefix", "first_name", "last_name", "company_name")
    return {
        "location": " ".join(filter(None, (address["location"], address["location_name"]))),
        "default": [flag for flag in flags if address[f"is_default_{flag}"]],
        "name": " ".join(filter(None, (address[name] for name in names))),
        "lines": address["lines"].replace("\n", ", "),
        "town": " ".join(filter(None, (address["postcode"], address["city"]))),
        "region": address["region"] or address["region_code"],
        "country": address["country"],
        "phone": address["phone"],
        "tax_id": address["tax_id"],
        "channel": address["channel"],
    }


def _contact(contact: ContactLine) -> dict[str, Any]:
    names = (contact.first_name, contact.last_name)
    account = contact.account and f"{contact.channel}/{contact.account}"
    return {**asdict(contact), "name": " ".join(filter(None, names)), "account": account}


def _show(title: str, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    if rows:
        say(f"\n{title}", "bold")
        show_rich(table_of(rows, columns))


def _show_raw(view: CustomerView) -> None:
    for payload in view.raw:
        account = f"{payload.channel}/{payload.external_id}"
        say(f"\n{account}, read {readable(payload.read_at)}", "bold")
        show_json(payload.payload)
    if not view.raw:
        say("\nNo raw payload is kept; see raw_payload_days in [retention].")
