"""The settings of an installation, table by table as they stand in `patron.toml`.

Frozen, with defaults that run Patron in one process without a server. What a connector needs of
its platform is its own affair: `ChannelSettings.connector` is validated by the connector.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.config.keys import ForeignKeys
from shared.domain.conditions import Condition, ConditionInvalid
from shared.domain.customer import CountryCode, CustomerKind
from shared.domain.match_rules import DirectoryKey, MatchBy
from shared.domain.ownership import FIELD_NAMES, BlankPolicy, Owner
from shared.domain.policy import ContactPolicy, GuestPolicy, LocationPolicy, ProcessingMethod

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Seconds = Annotated[float, Field(gt=0, le=31 * 86_400)]
_SHORTEST_KEY: Final = 32
Days = Annotated[int, Field(ge=0, le=36_500)]
CustomName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
CustomerNumber = Annotated[str, StringConstraints(min_length=1, max_length=255)]
NumberSource = Annotated[
    str,
    StringConstraints(
        pattern=r"^(customer_number|external_id|(attributes|metafields|form_fields)\..{1,255})$"
    ),
]
ADDITIONAL_SOURCES = "template or values.<name>"
COMPANIES: Final = "companies"


def _is_cron(value: str) -> str:
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"is no cron expression ({error}); such as */10 6-20 * * 1-5") from None
    return value


def _is_timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is no time zone, such as Europe/Berlin")
    return value


def _is_field_or_group(value: str) -> str:
    if value not in FIELD_NAMES:
        raise ValueError(f"is no field; known are {', '.join(sorted(FIELD_NAMES))}")
    return value


Cron = Annotated[str, AfterValidator(_is_cron)]
Timezone = Annotated[str, AfterValidator(_is_timezone)]
FieldName = Annotated[str, AfterValidator(_is_field_or_group)]


class Table(BaseModel):
    """A frozen table that refuses keys it does not know and never repeats what it was given."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )


class DatabaseSettings(Table):
    """Where the state is kept: `postgresql://…`, or `sqlite:///file` for one process."""

    url: SecretStr = SecretStr("sqlite:///.patron/patron.db")

    @field_validator("url")
    @classmethod
    def _names_a_database(cls, value: SecretStr) -> SecretStr:
        if _scheme(value).partition("+")[0] not in {"postgresql", "postgres", "sqlite"}:
            raise ValueError("must start with postgresql:// or sqlite:///")
        return value


class BrokerSettings(Table):
    """The message broker: `amqp://…` or `amqps://…`, or `memory://` for one process.

    `management_url` is used by `patron broker provision` alone, to set policies over HTTP.
    """

    url: SecretStr = SecretStr("memory://")
    management_url: SecretStr | None = None
    heartbeat_seconds: Annotated[int, Field(ge=5, le=600)] = 30

    @field_validator("url")
    @classmethod
    def _names_a_broker(cls, value: SecretStr) -> SecretStr:
        if not _scheme(value):
            raise ValueError("must start with amqp://, amqps:// or memory://")
        return value

    @field_validator("management_url")
    @classmethod
    def _names_a_web_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value and _scheme(value) not in {"http", "https"}:
            raise ValueError("must start with https:// or http://")
        return value


class HealthSettings(Table):
    """Where each worker answers for its health and metrics; port 0 takes a free one."""

    host: str = "127.0.0.1"
    importer_port: Annotated[int, Field(ge=0, le=65535)] = 9101
    processor_port: Annotated[int, Field(ge=0, le=65535)] = 9102
    exporter_port: Annotated[int, Field(ge=0, le=65535)] = 9103
    keeper_port: Annotated[int, Field(ge=0, le=65535)] = 9104


class LogSettings(Table):
    """How events are logged, always on standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class TracingSettings(Table):
    """The OpenTelemetry collector that takes traces by OTLP over HTTP, such as its port 4318.

    What is left out is as the standard variables `OTEL_…` of the environment say; without either
    nothing is traced. `sample_ratio` is the share of the traces begun here that is kept.
    """

    endpoint: str | None = None
    headers: SecretStr | None = None
    sample_ratio: Annotated[float | None, Field(ge=0, le=1)] = None

    @field_validator("endpoint")
    @classmethod
    def _names_a_web_server(cls, value: str | None) -> str | None:
        if value is not None and _scheme(SecretStr(value)) not in {"http", "https"}:
            raise ValueError("must start with http:// or https://")
        return value


class ImporterSettings(Table):
    """How store views are shared among importers and read again."""

    lease_seconds: Seconds = 60.0
    overlap_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    idle_seconds: Seconds = 1.0
    sweep_slice_seconds: Seconds = 10.0
    sweep_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    timezone: Timezone = "UTC"


class IntakeSettings(Table):
    """Where the importer takes webhooks and pushed customers in, if it does.

    `debounce_seconds` is how long further webhooks about a customer are waited for, before it is
    fetched once for all of them.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9110
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 2 * 1024 * 1024
    connections: Annotated[int, Field(ge=1, le=10_000)] = 200
    request_seconds: Annotated[float, Field(gt=0, le=300)] = 15.0
    debounce_seconds: Annotated[float, Field(ge=0, le=300)] = 1.0


class CanarySettings(Table):
    """How often a message about nobody is sent through all three workers; 0 for never."""

    interval_seconds: Annotated[float, Field(ge=0, le=3600)] = 60.0


class ProcessorSettings(Table):
    """How many customers are decided in one transaction at the most, and how many at a time.

    With two threads one decides while the other waits for the database: a process alone does more,
    and leaves less of the machine to others.
    """

    batch_size: Annotated[int, Field(ge=1, le=1000)] = 200
    threads: Annotated[int, Field(ge=1, le=4)] = 1


class ExporterSettings(Table):
    """How many exports are taken at once, and how many remote calls run side by side."""

    batch_size: Annotated[int, Field(ge=1, le=500)] = 50
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    lease_seconds: Seconds = 120.0


class RecoverySettings(Table):
    """When a failed message is tried again, and when that stops."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 8
    first_delay_seconds: Seconds = 5.0
    longest_delay_seconds: Seconds = 3600.0
    pause_seconds: Seconds = 60.0


class LifecycleSettings(Table):
    """How long a worker may take to finish what it has in hand when told to stop."""

    grace_seconds: Seconds = 30.0


class ErpSettings(Table):
    """Who the customer master is. `directory`: Patron itself, drawing the customer numbers."""

    kind: Literal["directory"] = "directory"
    required_values: tuple[Name, ...] = ()
    locations: LocationPolicy = LocationPolicy.BUSINESS
    required_location_values: tuple[Name, ...] = ()


class FeatureSettings(Table):
    """What is switched on; companies are taken in only with both."""

    business_accounts: bool = True
    locations: bool = True


class MatchSettings(Table):
    """One rule of the matching order.

    `name` and `field` belong to rules by custom data: which attribute, metafield or form field is
    looked up as which key of the directory. `channels` and `kinds` limit the rule; empty is all.
    """

    by: MatchBy
    name: CustomName | None = None
    field: DirectoryKey | None = None
    already_linked: Literal["link", "park"] = "park"
    channels: tuple[Name, ...] = ()
    kinds: tuple[CustomerKind, ...] = ()
    scope: Literal["all", "store_group"] = "all"
    similarity: Annotated[int, Field(ge=50, le=100)] = 90

    @model_validator(mode="after")
    def _says_what_it_compares(self) -> Self:
        if self.by.is_custom and not (self.name and self.field):
            raise ValueError(
                f"by = {self.by.value!r} needs name (of the {self.by.value}) and field (of the"
                " directory)"
            )
        if self.field is DirectoryKey.NAME:
            raise ValueError("field: name cannot be looked up by custom data")
        if not self.by.is_custom and (self.name or self.field):
            raise ValueError("name and field are for attribute, metafield and form_field only")
        return self


class FieldRuleSettings(Table):
    """Who owns a field, or a group of fields, and what a blank from the shop means."""

    owner: Owner = Owner.PLATFORM
    blank: BlankPolicy = BlankPolicy.KEEP


class NumberSeriesSettings(Table):
    """How the customer numbers of a series are written."""

    prefix: Annotated[str, StringConstraints(max_length=10)] = ""
    width: Annotated[int, Field(ge=1, le=18)] = 5
    start: Annotated[int, Field(ge=0)] = 1


def _read_condition(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return Condition(value)
        except ConditionInvalid as error:
            raise ValueError(str(error)) from None
    return value


class TemplateSettings(Table):
    """Defaults for new customers of whom `when` is true (always, if it is left out).

    The customer number comes from `number_series`, or is what the platform has in `number_from`:
    `customer_number`, `external_id`, or a custom field such as `attributes.old_number`.
    """

    name: Name
    number_series: Name | None = None
    number_from: NumberSource | None = None
    number_prefix: Annotated[str, StringConstraints(max_length=10)] = ""
    when: Annotated[Condition | None, BeforeValidator(_read_condition)] = None
    values: dict[Name, str] = Field(default_factory=dict)
    location_values: dict[Name, str] = Field(default_factory=dict)

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @model_validator(mode="after")
    def _has_one_source_of_numbers(self) -> Self:
        if (self.number_series is None) == (self.number_from is None):
            raise ValueError("needs number_series or number_from, one of them")
        if self.number_prefix and self.number_from is None:
            raise ValueError("number_prefix goes with number_from; a series has its own prefix")
        return self


def _scheme(url: SecretStr) -> str:
    """Return what stands before `://`. Raises ValueError for what cannot be read as a URL."""
    text = url.get_secret_value()
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError(
            "cannot be read as a URL; in a password write %40 for @, %3A for :, %2F for /"
        ) from None
    return text.partition("://")[0] if "://" in text else ""


def _at_midnight_utc(value: Any) -> Any:
    """Let a plain TOML date or local date-time mean UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return (
        datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, date)
        else value
    )


class StoreViewSettings(Table):
    """One store view: whether and how its customers are imported.

    `remote` is how the platform names it, as the connector wants it. A schedule is an interval,
    or a cron expression in the importer's time zone, which then takes its place.
    """

    code: Name
    import_enabled: bool = Field(default=True, alias="import")
    start_date: Annotated[AwareDatetime | None, BeforeValidator(_at_midnight_utc)] = None
    processing_method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE
    poll_interval_seconds: Seconds = 30.0
    sweep_interval_seconds: Seconds = 86_400.0
    poll_cron: Cron | None = None
    sweep_cron: Cron | None = None
    import_from: Annotated[
        Literal["beginning", "now"] | AwareDatetime, BeforeValidator(_at_midnight_utc)
    ] = "beginning"
    store_group: Name = "default"
    countries: tuple[CountryCode, ...] = ()
    guests: GuestPolicy = GuestPolicy.CREATE
    guest_customer: CustomerNumber | None = None
    company_contacts: ContactPolicy = ContactPolicy.INDIVIDUAL
    remote: dict[str, Any] = Field(default_factory=dict)

    @property
    def reads_companies(self) -> bool:
        """Whether the platform keeps what this view reads as companies."""
        return self.remote.get("entity") == COMPANIES

    @model_validator(mode="after")
    def _names_the_guests_customer(self) -> Self:
        if (self.guests is GuestPolicy.COLLECT) != (self.guest_customer is not None):
            raise ValueError('guests = "collect" and guest_customer go together')
        return self


class PrivacySettings(Table):
    """The key of the tombstones that keep erased customers from being imported again."""

    key: SecretStr | None = None

    @field_validator("key")
    @classmethod
    def _cannot_be_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value) < _SHORTEST_KEY:
            raise ValueError(
                f"must have at least {_SHORTEST_KEY} characters; `openssl rand -hex 32` makes one"
            )
        return value


class RetentionSettings(Table):
    """For how many days finished things are kept; 0 keeps nothing of that kind."""

    archive_days: Days = 365
    history_days: Days = 730
    raw_payload_days: Days = 30
    dead_letter_days: Days = 90


class WebhookSettings(Table):
    """The keys by which a shop's webhooks are known to be its own; each of them holds."""

    keys: ForeignKeys = Field(min_length=1)


class ChannelSettings(Table):
    """A shop: its platform, how to reach it, its store views, what is written back to it.

    `additional_data` maps a field of the shop to what is written there beside the customer
    number: `template`, or `values.<name>` of the customer's template. `credentials_end` is when the
    connector's credentials run out, for the metric: no platform says.
    """

    platform: Name
    connector: dict[str, Any] = Field(default_factory=dict)
    store_views: tuple[StoreViewSettings, ...] = Field(min_length=1)
    webhooks: WebhookSettings | None = None
    additional_data: dict[str, str] = Field(default_factory=dict)
    credentials_end: Annotated[AwareDatetime | None, BeforeValidator(_at_midnight_utc)] = None
    fields: dict[FieldName, FieldRuleSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Self:
        codes = [view.code for view in self.store_views]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise ValueError(f"store_views: code {min(twice)!r} is given twice")
        return self


class Settings(Table):
    """Everything that is configured."""

    database: DatabaseSettings = DatabaseSettings()
    broker: BrokerSettings = BrokerSettings()
    health: HealthSettings = HealthSettings()
    logs: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    importer: ImporterSettings = ImporterSettings()
    intake: IntakeSettings = IntakeSettings()
    canary: CanarySettings = CanarySettings()
    processor: ProcessorSettings = ProcessorSettings()
    exporter: ExporterSettings = ExporterSettings()
    recovery: RecoverySettings = RecoverySettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    privacy: PrivacySettings = PrivacySettings()
    retention: RetentionSettings = RetentionSettings()
    erp: ErpSettings = ErpSettings()
    features: FeatureSettings = FeatureSettings()
    matching: tuple[MatchSettings, ...] | None = None
    fields: dict[FieldName, FieldRuleSettings] = Field(default_factory=dict)
    templates: tuple[TemplateSettings, ...] = ()
    number_series: dict[Name, NumberSeriesSettings] = Field(default_factory=dict)
    channels: dict[Name, ChannelSettings] = Field(default_factory=dict)
