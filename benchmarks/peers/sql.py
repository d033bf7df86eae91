"""The tables of the tiny job, and its statements for one message: singly, and all in one.

Nothing but text. `{...}` stands for a parameter, to be written as a driver wants it: `for_psycopg`
and `for_asyncpg` do.
"""

import re
from typing import Final, NamedTuple

SCHEMA: Final = """
CREATE TABLE tiny_handled (
    message_id uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE tiny_customers (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    phone text NOT NULL UNIQUE,
    first_name text NOT NULL,
    last_name text NOT NULL,
    company_name text,
    postcode text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    channel text NOT NULL,
    external_id text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE tiny_outbox (
    message_id uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""

CLAIM: Final = """
INSERT INTO tiny_handled (message_id) VALUES ({message_id})
ON CONFLICT DO NOTHING RETURNING message_id
"""
MATCH: Final = """
SELECT id FROM tiny_customers WHERE email = {email} OR phone = {phone}
ORDER BY email = {email} DESC LIMIT 1
"""
INSERT: Final = """
INSERT INTO tiny_customers (id, email, phone, first_name, last_name, company_name,
    postcode, city, country, channel, external_id, changed_at)
VALUES ({id}, {email}, {phone}, {first_name}, {last_name}, {company_name},
    {postcode}, {city}, {country}, {channel}, {external_id}, {changed_at})
ON CONFLICT (id) DO UPDATE SET email = excluded.email, phone = excluded.phone,
    first_name = excluded.first_name, last_name = excluded.last_name,
    company_name = excluded.company_name, postcode = excluded.postcode, city = excluded.city,
    country = excluded.country, channel = excluded.channel,
    external_id = excluded.external_id, changed_at = excluded.changed_at
"""
OWE: Final = """
INSERT INTO tiny_outbox (message_id, customer_id, body) VALUES ({message_id}, {id}, {body})
"""
OWED: Final = "SELECT body FROM tiny_outbox WHERE message_id = {message_id}"

# The same in one statement, which is one transaction and one journey: `{id}` is the id of a
# customer who turns out to be new, `{before}` and `{after}` are the result around the id.
ALL: Final = """
WITH claimed AS (
    INSERT INTO tiny_handled (message_id) VALUES ({message_id}::uuid)
    ON CONFLICT DO NOTHING RETURNING message_id
), candidates AS (
    SELECT id, 1 AS rank FROM tiny_customers WHERE email = {email}::text
    UNION ALL SELECT id, 2 FROM tiny_customers WHERE phone = {phone}::text
), chosen AS (
    SELECT claimed.message_id,
        coalesce((SELECT id FROM candidates ORDER BY rank LIMIT 1), {id}::uuid) AS id FROM claimed
), saved AS (
    INSERT INTO tiny_customers (id, email, phone, first_name, last_name, company_name,
        postcode, city, country, channel, external_id, changed_at)
    SELECT chosen.id, {email}::text, {phone}::text, {first_name}::text, {last_name}::text,
        {company_name}::text, {postcode}::text, {city}::text, {country}::text, {channel}::text,
        {external_id}::text, {changed_at}::timestamptz FROM chosen
    ON CONFLICT (id) DO UPDATE SET email = excluded.email, phone = excluded.phone,
        first_name = excluded.first_name, last_name = excluded.last_name,
        company_name = excluded.company_name, postcode = excluded.postcode, city = excluded.city,
        country = excluded.country, channel = excluded.channel,
        external_id = excluded.external_id, changed_at = excluded.changed_at
)
INSERT INTO tiny_outbox (message_id, customer_id, body)
SELECT message_id, id, replace({body}::text, {id}::uuid::text, id::text) FROM chosen
RETURNING body
"""


class Numbered(NamedTuple):
    """A statement with numbered parameters, and their names in that order."""

    text: str
    names: tuple[str, ...]


def for_psycopg(statement: str) -> str:
    """Return `statement` with named parameters, sent as binary where that is possible."""
    return re.sub(r"\{(\w+)\}", r"%(\1)s", statement)


def for_asyncpg(statement: str) -> Numbered:
    """Return `statement` with numbered parameters."""
    names = tuple(dict.fromkeys(re.findall(r"\{(\w+)\}", statement)))
    text = re.sub(r"\{(\w+)\}", lambda found: f"${names.index(found[1]) + 1}", statement)
    return Numbered(text, names)
