"""What a BigCommerce channel relies on, verified at start and told with advice.

Whether the shop lets us write can only be seen by writing, so that is left to the first export.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.fields import GROUP
from shared.connectors.bigcommerce.query import moment_of
from shared.connectors.bigcommerce.record import record_of
from shared.connectors.bigcommerce.settings import AttributeNumber, BigCommerceSettings
from shared.connectors.ports import Finding
from shared.domain.errors import ConfigurationError

SHOP_ADVICE = (
    "give the API account the scope Customers: modify; check access_token, store_hash and base_url"
)
B2B_ADVICE = "give the API account the scope B2B Edition: modify"
ATTRIBUTE_ADVICE = (
    "create a customer attribute of type string with this name (POST /v3/customers/attributes)"
)
EXTRA_FIELD_ADVICE = "create a company extra field of this name in the settings of the B2B Edition"
_CUSTOMERS = "v3/customers"
TIMES_ADVICE = "set overlap_minutes = 1560 (26 hours)"


class Checks:
    """Looks at everything a channel relies on; transient failures are raised."""

    def __init__(
        self,
        settings: BigCommerceSettings,
        client: BigCommerceClient,
        companies: CompaniesClient,
        additional_fields: Sequence[str],
    ) -> None:
        self._settings = settings
        self._client = client
        self._companies = companies
        self._additional_fields = tuple(additional_fields)

    def run(self) -> Sequence[Finding]:
        """Return what was found, in order or not."""
        return [*self._of_customers(), *self._of_companies()]

    def _of_customers(self) -> Iterator[Finding]:
        client = self._client
        read = _asked("read customers", SHOP_ADVICE, lambda: client.sample(_CUSTOMERS, 1))
        yield read
        if read.problem is None:
            yield _asked("read customers by time", TIMES_ADVICE, self._ask_by_time)
        if GROUP in self._additional_fields:
            yield _asked("read groups", SHOP_ADVICE, client.groups)
        if self._settings.namespaces:
            path = "v3/customers/metafields"
            yield _asked("read metafields", SHOP_ADVICE, lambda: client.sample(path, 1))
        reads_customers = any(v.entity == "customers" for v in self._settings.store_views)
        names = [name for name in self._additional_fields if name != GROUP]
        if isinstance(self._settings.number, AttributeNumber):
            names.insert(0, self._settings.number.name)
        if reads_customers and names:
            yield from self._attributes(names)

    def _ask_by_time(self) -> None:
        """See whether the shop reads a time as we mean it: who changed last has changed since."""
        for item in self._client.sample(_CUSTOMERS, 1, sort="date_modified:desc"):
            since = record_of(item).changed_at - timedelta(minutes=self._settings.overlap_minutes)
            asked = {"id:in": str(item["id"]), "date_modified:min": moment_of(since)}
            if not self._client.sample(_CUSTOMERS, 1, **asked):
                raise ConfigurationError("the shop reads times in another zone than UTC")

    def _attributes(self, names: Sequence[str]) -> Iterator[Finding]:
        try:
            known = {str(item.get("name")) for item in self._client.attributes()}
        except ConfigurationError as error:
            yield Finding("attributes", str(error), SHOP_ADVICE)
            return
        for name in names:
            missing = None if name in known else "does not exist in the shop"
            advice = ATTRIBUTE_ADVICE if missing else None
            yield Finding(f"attribute {name}", missing, advice)

    def _of_companies(self) -> Iterator[Finding]:
        if self._settings.company_view is None:
            return
        try:
            known = {str(item.get("fieldName")) for item in self._companies.extra_fields()}
        except ConfigurationError as error:
            yield Finding("read companies", str(error), B2B_ADVICE)
            return
        yield Finding("read companies")
        name = self._settings.company_number_field
        if name in known:
            yield Finding(f"extra field {name}")
        else:
            yield Finding(f"extra field {name}", "does not exist in the shop", EXTRA_FIELD_ADVICE)


def _asked(subject: str, advice: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except ConfigurationError as error:
        return Finding(subject, str(error), advice)
    return Finding(subject)
