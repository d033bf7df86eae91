"""What a BigCommerce channel relies on, verified at start and told with advice.

Whether the shop lets us write can only be seen by writing, so that is left to the first export.
"""

from collections.abc import Callable, Iterator, Sequence

from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.fields import GROUP
from shared.connectors.bigcommerce.settings import AttributeNumber, BigCommerceSettings
from shared.connectors.ports import Finding
from shared.domain.errors import AccessDenied, ConfigurationError

TOKEN_ADVICE = "give the API account the scope Customers: modify, or renew its access token"  # noqa: S105
B2B_TOKEN_ADVICE = "give the API account the scope B2B Edition: modify"  # noqa: S105
ATTRIBUTE_ADVICE = (
    "create a customer attribute of type string with this name (POST /v3/customers/attributes)"
)
EXTRA_FIELD_ADVICE = "create a company extra field of this name in the settings of the B2B Edition"
_NOT_READ = "the token does not let us see these"


class Checks:
    """Looks at everything a channel relies on; transient failures are raised."""

    def __init__(
        self,
        settings: BigCommerceSettings,
        client: BigCommerceClient,
        companies: CompaniesClient | None,
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
        yield _asked("read customers", TOKEN_ADVICE, lambda: client.sample("v3/customers", 1))
        if GROUP in self._additional_fields:
            yield _asked("read groups", TOKEN_ADVICE, client.groups)
        if self._settings.namespaces:
            path = "v3/customers/metafields"
            yield _asked("read metafields", TOKEN_ADVICE, lambda: client.sample(path, 1))
        reads_customers = any(v.entity == "customers" for v in self._settings.store_views)
        names = [name for name in self._additional_fields if name != GROUP]
        if isinstance(self._settings.number, AttributeNumber):
            names.insert(0, self._settings.number.name)
        if reads_customers and names:
            yield from self._attributes(names)

    def _attributes(self, names: Sequence[str]) -> Iterator[Finding]:
        try:
            known = {str(item.get("name")) for item in self._client.attributes()}
        except ConfigurationError as error:
            yield Finding("attributes", str(error), TOKEN_ADVICE)
            return
        for name in names:
            missing = None if name in known else "does not exist in the shop"
            advice = ATTRIBUTE_ADVICE if missing else None
            yield Finding(f"attribute {name}", missing, advice)

    def _of_companies(self) -> Iterator[Finding]:
        if self._companies is None:
            return
        try:
            known = {str(item.get("fieldName")) for item in self._companies.extra_fields()}
        except ConfigurationError as error:
            yield Finding("read companies", str(error), B2B_TOKEN_ADVICE)
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
    except AccessDenied as error:
        return Finding(subject, str(error), advice)
    except ConfigurationError as error:
        return Finding(subject, str(error), "check base_url and store_hash")
    return Finding(subject)
