"""What an operator configures of a BigCommerce channel."""

from collections import Counter
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, ValidationError, model_validator

from shared.connectors.settings import ConnectorSettings, HttpSettings

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
MetafieldName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Entity = Literal["customers", "companies"]

LARGEST_PAGE = 250
DEFAULT_NUMBER_FIELD = "erp_customer_number"


class AttributeNumber(ConnectorSettings):
    """The customer number stands in a customer attribute; staff see it in the control panel."""

    kind: Literal["attribute"] = "attribute"
    name: FieldName = DEFAULT_NUMBER_FIELD


class MetafieldNumber(ConnectorSettings):
    """The customer number stands in a metafield, which only programs see."""

    kind: Literal["metafield"] = "metafield"
    namespace: MetafieldName = "erp"
    key: MetafieldName = "customer_number"
    permission_set: Literal["app_only", "read", "write"] = "read"

    @property
    def name(self) -> str:
        """The metafield as it is called in custom data."""
        return f"{self.namespace}.{self.key}"


class BigCommerceStoreView(ConnectorSettings):
    """A store view: its code here, and whose customers or companies it has.

    With a `channel_id` it has the customers of that storefront, else those of no other view.
    """

    code: str = Field(min_length=1, max_length=40)
    entity: Entity = "customers"
    channel_id: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_of_customers(self) -> Self:
        if self.entity == "companies" and self.channel_id is not None:
            raise ValueError("channel_id is for customers: a company belongs to no storefront")
        return self


class BigCommerceSettings(HttpSettings):
    """How to reach a BigCommerce shop, and what we read and write there.

    `tax_id_field` names the form field or attribute that holds the VAT id; `metafields` are the
    namespaces that are read besides; `newsletter_consent` has the subscribers read. The shop marks
    no address as billing or shipping address: `default_address` says whether the oldest one is
    both. `overlap_minutes` is how far each run steps back, for the shop's clock and its reading of
    times. The B2B Edition takes 150 requests a minute from everybody and tells nobody how many are
    left.
    """

    base_url: str = "https://api.bigcommerce.com"
    b2b_base_url: str = "https://api-b2b.bigcommerce.com"
    store_hash: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
    access_token: SecretStr
    store_views: tuple[BigCommerceStoreView, ...] = Field(min_length=1)
    number: Annotated[AttributeNumber | MetafieldNumber, Field(discriminator="kind")] = (
        AttributeNumber()
    )
    tax_id_field: FieldName | None = None
    metafields: tuple[MetafieldName, ...] = ()
    newsletter_consent: bool = False
    default_address: Literal["oldest", "none"] = "oldest"
    company_number_field: FieldName = DEFAULT_NUMBER_FIELD
    company_tax_id_field: FieldName | None = None
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    b2b_requests_per_second: float = Field(default=2.5, ge=0.5, le=1000)
    overlap_minutes: int = Field(default=15, ge=15, le=26 * 60)

    @model_validator(mode="after")
    def _reaches_the_b2b_edition_safely(self) -> Self:
        try:
            HttpSettings(base_url=self.b2b_base_url, allow_plain_http=self.allow_plain_http)
        except ValidationError:
            raise ValueError(
                "b2b_base_url must be https:// (or set allow_plain_http) and name a host only"
            ) from None
        return self

    @model_validator(mode="after")
    def _tells_its_views_apart(self) -> Self:
        if len({view.code for view in self.store_views}) < len(self.store_views):
            raise ValueError("store_views name one code twice")
        shares = Counter((view.entity, view.channel_id) for view in self.store_views)
        if max(shares.values()) > 1:
            raise ValueError("store_views: two have the same customers (entity and channel_id)")
        return self

    @cached_property
    def by_code(self) -> dict[str, BigCommerceStoreView]:
        """The store views by their code."""
        return {view.code: view for view in self.store_views}

    @property
    def company_view(self) -> BigCommerceStoreView | None:
        """The store view of the companies, where one is read."""
        return next((view for view in self.store_views if view.entity == "companies"), None)

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces whose metafields are read, in the order of their names."""
        number = {self.number.namespace} if isinstance(self.number, MetafieldNumber) else set()
        return tuple(sorted({*self.metafields, *number}))
