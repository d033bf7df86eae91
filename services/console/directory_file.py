"""Reads a file of customers that an ERP has already: CSV with a header, or JSON Lines.

Each record becomes a canonical customer, normalised as those of the shops are, so that matching
finds it (ASK-8). Its promise: what is wrong is named by line and column, never with the value, and
a file of any length is read record by record.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from services.console.tabular import Row, rows_of
from shared.domain.customer import Customer, CustomerKind, Source, Version
from shared.domain.directory import ADDRESS_FIELDS
from shared.domain.normalise import clean_line, country_code, normalise_customer

DIRECTORY: Final = "directory"
"""The channel of what comes from the directory itself: its addresses, its lines of history."""

PLACES: Final = ("billing", "shipping")
CUSTOMER_COLUMNS: Final = (
    "kind", "prefix", "first_name", "middle_name", "last_name", "suffix", "company_name",
    "email", "phone", "language", "currency", "tax_id", "birth_date", "gender", "notes",
)  # fmt: skip
COLUMNS: Final = frozenset(
    {"number", "template", *CUSTOMER_COLUMNS}
    | {f"{place}.{name}" for place in PLACES for name in ADDRESS_FIELDS}
)
_VALUE: Final = re.compile(r"values\.([a-z][a-z0-9_-]{0,39})")
_LINE_BREAK: Final = re.compile(r"[\r\n|]+")
_WARNED: Final = re.compile(r"addresses\[(\d+)\]\.(\w+)")


class Fault(NamedTuple):
    """Something wrong with a record, or in a warning something that was kept as written."""

    line: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One customer of the file. What it left blank is unsaid. `values` are its defaults."""

    line: int
    number: str
    customer: Customer
    template: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def warnings(self) -> list[Fault]:
        """What could not be understood, is kept as written, and is not found by matching."""
        places = [address.external_id or "" for address in self.customer.addresses]
        return [
            Fault(
                self.line, _WARNED.sub(lambda m: f"{places[int(m[1])]}.{m[2]}", w.field), w.problem
            )
            for w in self.customer.warnings
        ]


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """A file of existing customers, as they are at the moment `at`; may be read repeatedly."""

    path: Path
    templates: Collection[str]
    at: datetime

    def records(self) -> Iterator[Entry | list[Fault]]:
        """Yield each record, or what is wrong with it. Raises `FileUnreadable`."""
        for row in rows_of(self.path, is_column):
            if row.problem:
                yield [Fault(row.line, "-", row.problem)]
            else:
                yield self._read(row)

    def _read(self, row: Row) -> Entry | list[Fault]:
        said = {column: text for column, raw in row.cells.items() if (text := raw.strip())}
        faults = [Fault(row.line, column, problem) for column, problem in self._wrong(said)]
        return faults or self._entry(row.line, said)

    def _wrong(self, said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for column in said:
            if not is_column(column):
                yield column, "there is no such column"
        if not clean_line(said.get("number", "")):
            yield "number", "is missing"
        if said.get("template", "") not in {"", *self.templates}:
            known = ", ".join(sorted(self.templates)) or "none"
            yield "template", f"is not configured; there are: {known}"
        for place in PLACES:
            country = said.get(f"{place}.country")
            if country and not country_code(country):
                yield f"{place}.country", "is no country"

    def _entry(self, line: int, said: Mapping[str, str]) -> Entry | list[Fault]:
        number = clean_line(said["number"])
        places = [place for place in PLACES if any(c.startswith(f"{place}.") for c in said)]
        version = Version(changed_at=self.at, read_at=self.at, fingerprint="-")
        try:
            source = Source(
                channel=DIRECTORY, store_view=DIRECTORY, external_id=number, version=version
            )
            customer = Customer.model_validate(_customer(said, source, places))
        except ValidationError as error:
            return [
                Fault(line, _column(each["loc"], places), _plain(each["msg"]))
                for each in error.errors(include_url=False, include_input=False)
            ]
        values = {found[1]: said[c] for c in said if (found := _VALUE.fullmatch(c))}
        return Entry(line, number, normalise_customer(customer), said.get("template"), values)


def is_column(name: str) -> bool:
    """Whether a file may have this column."""
    return name in COLUMNS or bool(_VALUE.fullmatch(name))


def _customer(said: Mapping[str, str], source: Source, places: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: said[name] for name in CUSTOMER_COLUMNS if name in said}
    if "kind" not in fields and "company_name" in fields:
        fields["kind"] = CustomerKind.BUSINESS
    if "currency" in fields:
        fields["currency"] = fields["currency"].upper()
    if "phone" in fields:
        fields["phone"] = {"raw": fields["phone"]}
    if places:
        fields["addresses"] = [_address(place, said, places) for place in places]
    return {**fields, "source": source, "customer_number": source.external_id}


def _address(place: str, said: Mapping[str, str], places: Sequence[str]) -> dict[str, Any]:
    """Return an address; one that is alone is for bills and deliveries."""
    given = {
        name: text for name in ADDRESS_FIELDS if (text := said.get(f"{place}.{name}")) is not None
    }
    fields: dict[str, Any] = {
        **given,
        "external_id": place,
        "is_default_billing": place == "billing" or len(places) == 1,
        "is_default_shipping": place == "shipping" or len(places) == 1,
    }
    if "lines" in given:
        fields["lines"] = [
            line for each in _LINE_BREAK.split(given["lines"]) if (line := each.strip())
        ]
    if "country" in given:
        fields["country"] = country_code(given["country"])
    if "phone" in given:
        fields["phone"] = {"raw": given["phone"]}
    return fields


def _column(location: Sequence[int | str], places: Sequence[str]) -> str:
    """Return the column that a part of the customer was made of."""
    match location:
        case ("addresses", int(position), name, *_):
            return f"{places[position]}.{name}"
        case ("external_id" | "customer_number", *_):
            return "number"
        case (name, *_):
            return str(name)
    return "-"


def _plain(message: str) -> str:
    """Let pydantic's sentence go on after the column."""
    return message.removeprefix("Input ").removeprefix("Value error, ")
