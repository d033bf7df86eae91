"""The tables, as SQLAlchemy Core metadata; the migrations create exactly these.

Types are chosen to mean the same on PostgreSQL and SQLite. Moments are UTC. JSON columns hold
text that is read by people and tools, never queried inside.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware moment in UTC on both dialects; SQLite keeps it without an offset."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Read as UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _uuid(name: str, *args: Any, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), *args, **kwargs)


def _text(name: str, *args: Any, **kwargs: Any) -> sa.Column[Any]:
    kwargs.setdefault("nullable", False)
    return sa.Column(name, sa.Text(), *args, **kwargs)


def _moment(name: str, **kwargs: Any) -> sa.Column[Any]:
    kwargs.setdefault("nullable", False)
    return sa.Column(name, Moment(), **kwargs)


def _envelope_columns() -> list[sa.Column[Any]]:
    return [
        _text("routing_key"),
        _text("type"),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        _uuid("correlation_id", nullable=False),
        _uuid("causation_id"),
        _moment("occurred_at"),
        _text("channel"),
        _text("subject"),
        _text("traceparent", nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    ]


# What is still owed: the outbox, the retries and the messages in flight.
messages = sa.Table(
    "messages",
    metadata,
    _uuid("id", primary_key=True),
    *_envelope_columns(),
    sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    _moment("created_at"),
    _moment("available_at"),
    _moment("published_at", nullable=True),
    _moment("leased_until", nullable=True),
    _text("lease_owner", nullable=True),
    _text("last_reason", nullable=True),
    _text("last_error", nullable=True),
    _moment("first_failed_at", nullable=True),
    _moment("last_failed_at", nullable=True),
    _text("reply_to", nullable=True),
    _text("reply_id", nullable=True),
    # Rows live for a moment and are changed in it: leave room on the page for that, and clean up
    # after a number of dead rows rather than after a share of a table that is nearly empty.
    postgresql_with={
        "fillfactor": "70",
        "autovacuum_vacuum_scale_factor": "0",
        "autovacuum_vacuum_threshold": "5000",
        "autovacuum_vacuum_cost_delay": "0",
        "autovacuum_analyze_scale_factor": "0",
        "autovacuum_analyze_threshold": "10000",
    },
)
# Partial indexes: a message costs an entry only in the state that is searched.
sa.Index(
    "ix_messages_unpublished",
    messages.c.available_at,
    postgresql_where=sa.text("published_at IS NULL"),
    sqlite_where=sa.text("published_at IS NULL"),
)
sa.Index(
    "ix_messages_published",
    messages.c.published_at,
    postgresql_where=sa.text("published_at IS NOT NULL"),
    sqlite_where=sa.text("published_at IS NOT NULL"),
)
sa.Index(
    "ix_messages_subject",
    messages.c.channel,
    messages.c.subject,
    postgresql_where=sa.text("lease_owner IS NOT NULL"),
    sqlite_where=sa.text("lease_owner IS NOT NULL"),
)

# Ids of handled messages that came from outside and have no row in `messages`.
foreign_messages = sa.Table(
    "foreign_messages",
    metadata,
    _uuid("id", primary_key=True),
    _moment("seen_at", index=True),
    sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("done", sa.Boolean(), nullable=False),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    _uuid("id", primary_key=True),
    _uuid("message_id", nullable=True),
    _text("worker"),
    _text("queue"),
    _text("routing_key", nullable=True),
    _text("type", nullable=True),
    sa.Column("schema_version", sa.Integer(), nullable=True),
    _uuid("correlation_id", nullable=True),
    _uuid("causation_id", nullable=True),
    _moment("occurred_at", nullable=True),
    _text("channel", nullable=True),
    _text("subject", nullable=True),
    _text("traceparent", nullable=True),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("body_size", sa.Integer(), nullable=False),
    _text("body_sha256"),
    _text("reason"),
    _text("error_class", nullable=True),
    _text("error", nullable=True),
    sa.Column("attempts", sa.Integer(), nullable=False),
    _moment("first_failed_at"),
    _moment("last_failed_at"),
    _text("config_version", nullable=True),
    _text("state", server_default="open"),
    # Where an asker wants his answer, and what he calls his question.
    _text("reply_to", nullable=True),
    _text("reply_id", nullable=True),
    # What letters with the same cause have in common, and its digest.
    _text("frame", nullable=True),
    _text("platform", nullable=True),
    _text("group_key", server_default=""),
    # Who gave it up: the worker, or the broker for a reason of its own.
    _text("origin", server_default="worker"),
    _text("broker_reason", nullable=True),
    sa.Column("replays", sa.Integer(), nullable=False, server_default="0"),
    _moment("resolved_at", nullable=True),
    _text("resolution", nullable=True),
    # A message has one letter, however often it was replayed and given up again.
    sa.UniqueConstraint("message_id"),
)
sa.Index("ix_dead_letters_state_reason", dead_letters.c.state, dead_letters.c.reason)
sa.Index("ix_dead_letters_state_group", dead_letters.c.state, dead_letters.c.group_key)
sa.Index("ix_dead_letters_subject", dead_letters.c.channel, dead_letters.c.subject)

# What operators changed about dead letters; the letter has the body as it is now.
amendments = sa.Table(
    "amendments",
    metadata,
    _uuid("id", primary_key=True),
    _uuid(
        "dead_letter_id",
        sa.ForeignKey("dead_letters.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    _moment("at"),
    _text("author"),
    _text("reason"),
    _text("diff"),
    sa.Column("original_body", sa.LargeBinary(), nullable=False),
)

# Dead letters that are sent again, job by job, and how far each job is.
replay_jobs = sa.Table(
    "replay_jobs",
    metadata,
    _uuid("id", primary_key=True),
    _moment("created_at"),
    _text("author"),
    _text("reason"),
    _text("selection"),
    _text("state", server_default="running"),
    sa.Column("total", sa.Integer(), nullable=False),
    sa.Column("rate_per_second", sa.Float(), nullable=False),
    # The share of failures at which the job stops.
    sa.Column("failure_limit", sa.Float(), nullable=False),
    _text("lease_owner", nullable=True),
    _moment("leased_until", nullable=True),
    _moment("finished_at", nullable=True),
    _text("detail", nullable=True),
)
sa.Index("ix_replay_jobs_state", replay_jobs.c.state, replay_jobs.c.created_at)

replay_items = sa.Table(
    "replay_items",
    metadata,
    _uuid("job_id", sa.ForeignKey("replay_jobs.id", ondelete="CASCADE"), primary_key=True),
    _uuid("dead_letter_id", primary_key=True, index=True),
    sa.Column("position", sa.Integer(), nullable=False),
    _text("state", server_default="pending"),
    _moment("at", nullable=True),
)
sa.Index(
    "ix_replay_items_state",
    replay_items.c.job_id,
    replay_items.c.state,
    replay_items.c.position,
)

# How far a store view is imported, and who is importing it.
cursors = sa.Table(
    "cursors",
    metadata,
    _text("channel", primary_key=True),
    _text("store_view", primary_key=True),
    _moment("watermark_at", nullable=True),
    _text("watermark_key", server_default=""),
    _text("sweep_key", nullable=True),
    _moment("sweep_started_at", nullable=True),
    _moment("sweep_finished_at", nullable=True),
    _moment("poll_due_at"),
    _moment("sweep_due_at"),
    _text("lease_owner", nullable=True),
    _moment("leased_until", nullable=True),
    _moment("last_success_at", nullable=True),
    _text("last_error", nullable=True),
    sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
    _moment("enabled_at", nullable=True),
    _text("sweep_mode", server_default="normal"),
    # A poll that succeeds says nothing of a sweep that fails.
    _text("sweep_error", nullable=True),
    # Since when customers must be registered to be imported, as it was when last enabled.
    _moment("start_date", nullable=True),
    sa.Column("sweep_failures", sa.Integer(), nullable=False, server_default="0"),
    # Until a sweep begins: one that began before does not answer it.
    _moment("sweep_requested_at", nullable=True),
)

# Questions of others whether a customer is imported, until they are answered.
import_requests = sa.Table(
    "import_requests",
    metadata,
    _uuid("id", primary_key=True),
    _uuid("correlation_id", nullable=False, index=True),
    _text("channel"),
    _text("external_id"),
    _text("reply_to", nullable=True),
    _text("reply_id", nullable=True),
    _moment("requested_at"),
    _moment("answer_by"),
    _moment("due_at"),
    _text("state", server_default="wanted"),
    # The message that brings the customer to the processor, who answers.
    _uuid("import_id", index=True),
    _moment("answered_at", nullable=True, index=True),
    _text("answer", nullable=True),
    _text("customer_number", nullable=True),
    _text("reason", nullable=True),
    # A shop's webhook led to it: nobody waits for the answer.
    sa.Column("is_hint", sa.Boolean(), nullable=False, server_default=sa.false()),
)
sa.Index("ix_import_requests_state", import_requests.c.state, import_requests.c.channel)

# The platform's own words about a record, as last imported, for diagnosis.
raw_payloads = sa.Table(
    "raw_payloads",
    metadata,
    _text("channel", primary_key=True),
    _text("external_id", primary_key=True),
    _moment("read_at", index=True),
    sa.Column("payload", sa.LargeBinary(), nullable=False),
)

# Keyed digests of remote records that were erased and must not come back, and of their keys.
tombstones = sa.Table(
    "tombstones",
    metadata,
    _text("digest", primary_key=True),
    _text("key_id", index=True),
    _moment("erased_at"),
)

# What the importer last saw of each remote record.
source_records = sa.Table(
    "source_records",
    metadata,
    _text("channel", primary_key=True),
    _text("external_id", primary_key=True),
    _text("store_view"),
    # Compared by bytes, as Python and SQLite do, whatever the language of the database.
    sa.Column(
        "scan_key",
        sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
        nullable=False,
    ),
    _text("fingerprint"),
    _moment("seen_at"),
    _moment("deleted_at", nullable=True),
)
sa.Index(
    "ix_source_records_scan",
    source_records.c.channel,
    source_records.c.store_view,
    source_records.c.scan_key,
)

# An imported customer on its way, and the archive of those that arrived.
staging_customers = sa.Table(
    "staging_customers",
    metadata,
    _uuid("id", primary_key=True),
    _text("channel"),
    _text("external_id"),
    _text("store_view"),
    _text("state"),
    sa.Column("is_existing", sa.Boolean(), nullable=False),
    _text("reason", nullable=True),
    _uuid("customer_id", nullable=True),
    _text("customer_number", nullable=True),
    _uuid("message_id", nullable=False),
    _uuid("correlation_id", nullable=False),
    _moment("changed_at"),
    _moment("read_at"),
    _text("config_version"),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("explanation", sa.LargeBinary(), nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
)
OPEN_STAGING_STATES = ("held", "staged", "ambiguous", "processing")
sa.Index(
    "uq_staging_customers_open",
    staging_customers.c.channel,
    staging_customers.c.external_id,
    unique=True,
    postgresql_where=sa.text("state IN ('held', 'staged', 'ambiguous', 'processing')"),
    sqlite_where=sa.text("state IN ('held', 'staged', 'ambiguous', 'processing')"),
)
sa.Index(
    "ix_staging_customers_source", staging_customers.c.channel, staging_customers.c.external_id
)
sa.Index("ix_staging_customers_state", staging_customers.c.state, staging_customers.c.created_at)

# The directory: the customer master.
customers = sa.Table(
    "customers",
    metadata,
    _uuid("id", primary_key=True),
    _text("number", nullable=True, unique=True),
    _text("state"),
    _text("kind"),
    _text("prefix", nullable=True),
    _text("first_name", nullable=True),
    _text("middle_name", nullable=True),
    _text("last_name", nullable=True),
    _text("suffix", nullable=True),
    _text("company_name", nullable=True),
    _text("email", nullable=True),
    _text("phone", nullable=True),
    _text("phone_extension", nullable=True),
    _text("language", nullable=True),
    _text("currency", nullable=True),
    _text("tax_id", nullable=True),
    sa.Column("birth_date", sa.Date(), nullable=True),
    _text("gender", nullable=True),
    sa.Column("marketing_consent", sa.Boolean(), nullable=True),
    _text("notes", nullable=True),
    _text("template", nullable=True),
    sa.Column("defaults", sa.LargeBinary(), nullable=False),
    _text("email_key", nullable=True, index=True),
    _text("phone_key", nullable=True, index=True),
    _text("tax_id_key", nullable=True, index=True),
    _moment("created_at"),
    _moment("updated_at"),
    # Searched by its beginning as well, so compared by bytes.
    sa.Column(
        "name_key",
        sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
        nullable=True,
        index=True,
    ),
    sa.Column("field_times", sa.LargeBinary(), nullable=True),
    # What the platforms keep it as; of those who were loaded, nothing yet.
    _text("entity", nullable=True, server_default="account"),
    # How many location numbers were given; those of removed locations are not given again.
    sa.Column("locations", sa.Integer(), nullable=False, server_default="0"),
)

customer_addresses = sa.Table(
    "customer_addresses",
    metadata,
    _uuid("id", primary_key=True),
    _uuid("customer_id", nullable=False, index=True),
    _text("channel"),
    _text("external_id", nullable=True),
    sa.Column("is_default_billing", sa.Boolean(), nullable=False),
    sa.Column("is_default_shipping", sa.Boolean(), nullable=False),
    _text("prefix", nullable=True),
    _text("first_name", nullable=True),
    _text("last_name", nullable=True),
    _text("company_name", nullable=True),
    _text("lines"),
    _text("city", nullable=True),
    _text("postcode", nullable=True),
    _text("region_code", nullable=True),
    _text("region", nullable=True),
    _text("country", nullable=True),
    _text("phone", nullable=True),
    _text("tax_id", nullable=True),
    _moment("updated_at"),
    # An address with a number of its own is a location, with the template's defaults for one.
    _text("location_name", nullable=True),
    sa.Column("location_number", sa.Integer(), nullable=True),
    sa.Column("defaults", sa.LargeBinary(), nullable=True),
)
sa.Index(
    "uq_customer_addresses_location",
    customer_addresses.c.customer_id,
    customer_addresses.c.location_number,
    unique=True,
    postgresql_where=sa.text("location_number IS NOT NULL"),
    sqlite_where=sa.text("location_number IS NOT NULL"),
)

# The persons who act for a company, as the company's record names them.
customer_contacts = sa.Table(
    "customer_contacts",
    metadata,
    # The remote id of the company's record: first, as it is what the rows are looked up by.
    _text("record", primary_key=True),
    _text("channel", primary_key=True),
    # The platform's own id of the contact.
    _text("external_id", primary_key=True),
    _uuid("customer_id", nullable=False, index=True),
    # The remote id of the contact's own account, if it has one.
    _text("account", nullable=True),
    sa.Column("is_main", sa.Boolean(), nullable=False),
    _text("first_name", nullable=True),
    _text("last_name", nullable=True),
    _text("email", nullable=True),
    _text("phone", nullable=True),
    _text("role", nullable=True),
    _moment("updated_at"),
)
sa.Index("ix_customer_contacts_account", customer_contacts.c.account, customer_contacts.c.channel)

# Which remote record is which customer, and what both sides last agreed on.
links = sa.Table(
    "links",
    metadata,
    _text("channel", primary_key=True),
    _text("external_id", primary_key=True),
    _uuid("customer_id", nullable=False, index=True),
    _text("status"),
    _text("store_view"),
    _text("customer_group", nullable=True),
    _moment("changed_at"),
    _moment("read_at"),
    _text("fingerprint"),
    sa.Column("snapshot", sa.LargeBinary(), nullable=False),
    _text("exported_number", nullable=True),
    _moment("created_at"),
    _moment("updated_at"),
    # The account of somebody who acts for the company that the customer is.
    sa.Column("is_contact", sa.Boolean(), nullable=False, server_default=sa.false()),
)

number_series = sa.Table(
    "number_series",
    metadata,
    _text("name", primary_key=True),
    sa.Column("next_value", sa.BigInteger(), nullable=False),
)

# The server and the database that this state was settled in; one row, none with SQLite.
database_home = sa.Table(
    "database_home",
    metadata,
    _text("place", primary_key=True),
    _moment("settled_at"),
)

# One line of a customer's timeline. Append-only.
history = sa.Table(
    "history",
    metadata,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    _moment("at"),
    _uuid("correlation_id", nullable=False, index=True),
    _uuid("message_id", nullable=True),
    _text("channel"),
    _text("external_id"),
    _uuid("customer_id", nullable=True, index=True),
    _text("worker"),
    _text("event"),
    _text("detail", nullable=True),
)
sa.Index("ix_history_source", history.c.channel, history.c.external_id)

# Channels that wait for an operator, and why.
channel_pauses = sa.Table(
    "channel_pauses",
    metadata,
    _text("channel", primary_key=True),
    _text("reason"),
    _text("detail"),
    _moment("paused_at"),
    _moment("retry_at"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    _moment("at"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("reason", nullable=True),
    _text("detail", nullable=True),
)

# Events that shops told by webhook, so that one told again has no effect.
webhook_events = sa.Table(
    "webhook_events",
    metadata,
    _text("channel", primary_key=True),
    _text("event_id", primary_key=True),
    _moment("received_at", index=True),
)

# Requests that pushed customers, and what became of each item: a request made again is answered
# from here.
push_requests = sa.Table(
    "push_requests",
    metadata,
    _uuid("id", primary_key=True),
    _text("channel"),
    _text("idempotency_key", nullable=True),
    _text("signature", nullable=True),
    _text("body_sha256"),
    _moment("received_at", index=True),
    sa.UniqueConstraint("channel", "idempotency_key"),
    sa.UniqueConstraint("channel", "signature"),
)

push_items = sa.Table(
    "push_items",
    metadata,
    _uuid("request_id", sa.ForeignKey("push_requests.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
    _text("channel"),
    _text("external_id", nullable=True),
    _text("outcome"),
    # JSON: where it does not fit, and what is allowed there.
    _text("faults", nullable=True),
)
sa.Index("ix_push_items_source", push_items.c.channel, push_items.c.external_id)

# Whose e-mail address it is, in channels that know their customers by it: nobody else's there.
push_emails = sa.Table(
    "push_emails",
    metadata,
    _text("channel", primary_key=True),
    _text("email_key", primary_key=True),
    _text("external_id"),
)
sa.Index("ix_push_emails_source", push_emails.c.channel, push_emails.c.external_id)
