"""What each kind of record can be searched for, by the names the platform documents.

Its promise: a name that is not here is passed over by search, as a misspelt one is.
"""

from services.sandbox.shopify.gids import FIRST_NUMBER
from services.sandbox.shopify.search_syntax import Fields
from services.sandbox.shopify.table import Row
from services.sandbox.shopify.times import moment


def _id_of(kind: str, row: Row) -> int:
    return FIRST_NUMBER[kind] + row.number


def _metafield(row: Row, namespace: str, key: str) -> str | None:
    found = row.record["_metafields"].get((namespace, key))
    return found["value"] if found else None


def _given(row: Row, *names: str) -> list[str]:
    record = row.record
    return [record[name] for name in names if record[name]]


CUSTOMER = Fields(
    moments={
        "updated_at": lambda row: row.updated,
        "customer_date": lambda row: row.created,
    },
    numbers={"id": lambda row: _id_of("Customer", row)},
    texts={
        "state": lambda row: [row.record["state"]],
        "tag": lambda row: row.record["tags"],
        "phone": lambda row: _given(row, "phone"),
        "country": lambda row: [
            name
            for each in row.record["_addresses"]
            for name in (each["country"], each["countryCodeV2"])
            if name
        ],
    },
    tokens={
        "email": lambda row: _given(row, "email"),
        "first_name": lambda row: _given(row, "firstName"),
        "last_name": lambda row: _given(row, "lastName"),
    },
    metafield=_metafield,
    anywhere=lambda row: _given(row, "firstName", "lastName", "email", "phone", "note"),
)
COMPANY = Fields(
    moments={
        "updated_at": lambda row: row.updated,
        "created_at": lambda row: row.created,
        "since_date": lambda row: moment(row.record["customerSince"]),
    },
    numbers={"id": lambda row: _id_of("Company", row)},
    texts={"external_id": lambda row: _given(row, "externalId")},
    tokens={"name": lambda row: _given(row, "name")},
    metafield=_metafield,
    anywhere=lambda row: _given(row, "name", "externalId", "note"),
)
LOCATION = Fields(
    moments={
        "updated_at": lambda row: row.updated,
        "created_at": lambda row: row.created,
    },
    numbers={
        "id": lambda row: _id_of("CompanyLocation", row),
        "company_id": lambda row: FIRST_NUMBER["Company"] + row.record["_company"],
    },
    texts={"external_id": lambda row: _given(row, "externalId")},
    tokens={"name": lambda row: _given(row, "name")},
    metafield=_metafield,
    anywhere=lambda row: _given(row, "name", "externalId", "note"),
)
BY_KIND = {"Customer": CUSTOMER, "Company": COMPANY, "CompanyLocation": LOCATION}
