"""Writes to a BigCommerce channel: customers by the ten, companies one by one."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from shared.connectors.bigcommerce.checks import Checks
from shared.connectors.bigcommerce.companies.record import company_id_of
from shared.connectors.bigcommerce.companies.sink import CompanyWriter
from shared.connectors.bigcommerce.writer import CustomerWriter
from shared.connectors.ports import Finding, Outcome
from shared.domain.messages import CustomerExport

CUSTOMERS_AT_ONCE: Final = 10


class BigCommerceSink:
    """The writing side of a BigCommerce channel; threads may share it."""

    def __init__(self, customers: CustomerWriter, companies: CompanyWriter, checks: Checks) -> None:
        self._customers = customers
        self._companies = companies
        self._checks = checks

    @property
    def customers_at_once(self) -> int:
        """Ten, as the platform takes them."""
        return CUSTOMERS_AT_ONCE

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out the exports, one outcome for each in order."""
        of_customers = [e for e in exports if company_id_of(e.external_id) is None]
        of_companies = [e for e in exports if company_id_of(e.external_id) is not None]
        outcomes = list(self._customers.write(of_customers)) if of_customers else []
        for _, of_one in groupby(of_companies, key=lambda export: export.external_id):
            outcomes += self._companies.write(list(of_one))
        places = {id(export): place for place, export in enumerate(exports)}
        return sorted(outcomes, key=lambda outcome: places[id(outcome.export)])

    def check(self) -> Sequence[Finding]:
        """Verify the rights, and that every field exists that is written."""
        return self._checks.run()
