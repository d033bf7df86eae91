"""The Shopify connector against a shop on a real socket, with every query held to the schema.

The shop is the sandbox: it counts points, keeps books of what was written, and goes wrong when told
to.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any
from uuid import UUID

import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import company_gid, customer_gid, gid
from shared.connectors.calls import RemoteCall
from shared.connectors.ports import Connector, Outcome, RemoteRecord, Watermark
from shared.connectors.registry import settings_of
from shared.connectors.shopify.approval import Protected
from shared.connectors.shopify.connect import connect
from shared.connectors.shopify.documents import Selection, bulk_text, by_ids, rest_of, search
from shared.connectors.shopify.settings import MetafieldKey, ShopifySettings
from shared.connectors.shopify.webhooks import read_notice
from shared.domain.customer import Customer, Entity, Version
from shared.domain.errors import (
    AccessDenied,
    AttributeMissing,
    ConfigurationError,
    NoticeRefused,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)
from shared.domain.messages import CustomerExport
from tests.contract.shopify_spec import SPECS, VERSIONS, CheckedTransport, checked_document

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"Shopify's schema is not at {SPECS.name} beside the project"
)

VIEWS: dict[str, dict[str, Any]] = {"shop": {}, "b2b": {"entity": "companies"}}
READ_AT = datetime(2026, 11, 22, tzinfo=UTC)
LONG_AGO = Watermark(datetime(2001, 1, 1, tzinfo=UTC))
CUSTOMERS = 60
COMPANIES = 8

Connect = Callable[..., Connector]


@pytest.fixture
def shop() -> Iterator[SandboxShopify]:
    """Give a shop of well-behaved customers; the sandbox itself must not have failed."""
    with SandboxShopify(
        customers=CUSTOMERS,
        seed=7,
        companies=COMPANIES,
        awkward=False,
        restore_rate=2000,
        bucket=20_000,
    ) as running:
        yield running
        assert not running.control.bugs()


@pytest.fixture
def transport() -> Iterator[CheckedTransport]:
    """Give the connections, watched."""
    watched = CheckedTransport()
    yield watched
    watched.close()


@pytest.fixture
def connected(shop: SandboxShopify, transport: CheckedTransport) -> Connect:
    """Give what connects to the shop, with settings changed at will."""

    def build(*fields: str, calls: list[RemoteCall] | None = None, **changes: Any) -> Connector:
        observe = (calls if calls is not None else []).append
        return connect(_settings(shop, **changes), "nordwind", observe, fields,
                       transport=transport)  # fmt: skip

    return build


@pytest.fixture
def shopify(connected: Connect) -> Connector:
    """Give the connector, with small pages."""
    return connected()


def _settings(shop: SandboxShopify, **changes: Any) -> ShopifySettings:
    connector = {
        "base_url": shop.url,
        "auth": {"kind": "token", "token": shop.token},
        "page_size": 7,
        "timeouts": {"attempts": 1, "total_seconds": 10},
        **changes,
    }
    parsed = settings_of("shopify", connector, VIEWS)
    assert isinstance(parsed, ShopifySettings)
    return parsed


def credentials(shop: SandboxShopify) -> dict[str, str]:
    """Return the app's credentials, to be exchanged for a token."""
    return {
        "kind": "client_credentials",
        "client_id": shop.client_id,
        "client_secret": shop.client_secret,
    }


def export(external_id: str, number: str = "D-10021", **changes: Any) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if "values" in changes else "customer_number",
        channel="nordwind",
        external_id=external_id,
        store_view="shop",
        customer_id=UUID(int=1),
        customer_number=number,
        version=Version(changed_at=READ_AT, read_at=READ_AT, fingerprint="f"),
        **changes,
    )


def one(number: int) -> str:
    """Return what the sandbox's customer `number` is called here."""
    return customer_gid(number).rpartition("/")[2]


def everybody() -> set[str]:
    """Return what all customers are called here."""
    return {one(number) for number in range(1, CUSTOMERS + 1)}


def firm(number: int) -> str:
    """Return what the sandbox's company `number` is called here."""
    return f"company:{company_gid(number).rpartition('/')[2]}"


def changed(
    shopify: Connector, since: Watermark | None = None, view: str = "shop"
) -> list[RemoteRecord]:
    """Return everything that changed."""
    pages = shopify.reading.changes(view, since)
    return [record for page in pages for record in page.records]


def swept(shopify: Connector, view: str = "shop", after: str = "") -> list[RemoteRecord]:
    """Return everybody."""
    return [record for page in shopify.reading.sweep(view, after) for record in page.records]


def fetched(shopify: Connector, external_id: str) -> RemoteRecord:
    """Return one record."""
    record = shopify.reading.fetch(external_id)
    assert record
    return record


def customer_of(shopify: Connector, record: RemoteRecord) -> Customer:
    """Return the canonical customer of a record."""
    view = shopify.reading.store_view_of(record)
    assert view
    return shopify.reading.to_customer(record, view, READ_AT)


def families(outcomes: Sequence[Outcome]) -> list[str | None]:
    """Return the family of each outcome's error."""
    return [type(each.error).__name__ if each.error else None for each in outcomes]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("denied", [(), *((kind,) for kind in Protected), tuple(Protected)])
def test_every_selection_is_valid(version: str, denied: tuple[Protected, ...]) -> None:
    """Whatever personal data the app may not read; page by page, in bulk, and what is left over."""
    metafields = [
        ("number", MetafieldKey("erp", "customer_number")),
        ("m0", MetafieldKey("a", "b")),
    ]
    selection = Selection(metafields, metafields[1:], frozenset(denied))
    texts = [
        search("A", "customers", "UPDATED_AT", selection.customer()).text,
        search("A", "companies", "ID", selection.company(), reverse=True).text,
        by_ids("A", "Customer", selection.customer()).text,
        by_ids("A", "Company", selection.company()).text,
        rest_of("A", "Customer", "addressesV2", selection.address()).text,
        rest_of("A", "Company", "locations", selection.location()).text,
        rest_of("A", "Company", "contacts", selection.contact()).text,
        bulk_text("customers", selection.customer(in_bulk=True)),
        bulk_text("companies", selection.company(in_bulk=True)),
    ]

    for text in texts:
        checked_document(version, text)


class TestReading:
    """The source."""

    def test_a_first_run_brings_everybody(self, shopify: Connector) -> None:
        """Each customer once, and no company (XPR-2)."""
        records = changed(shopify)

        assert len(records) == CUSTOMERS
        assert {record.external_id for record in records} == everybody()

    def test_the_next_run_brings_what_changed_since(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """And may bring more, but hardly everybody."""
        pages = list(shopify.reading.changes("shop", None))
        mark = pages[-1].mark
        shop.control.edit_customer(5, firstName="Edited")

        records = changed(shopify, mark)

        assert one(5) in {record.external_id for record in records}
        assert len(records) < CUSTOMERS / 2

    def test_what_search_learns_late_is_read_by_the_next_run(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """The mark is held back by more than search lags (NEW-14)."""
        shop.control.hold_search()
        shop.control.edit_customer(5, firstName="Edited")
        pages = list(shopify.reading.changes("shop", None))
        shop.control.release_search()

        records = changed(shopify, pages[-1].mark)

        edited = [record for record in records if record.external_id == one(5)]
        assert edited
        assert edited[0].payload["firstName"] == "Edited"

    def test_rows_that_move_while_reading_are_not_missed(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """Shoppers edit their accounts between our pages."""
        seen = set()
        for number, page in enumerate(shopify.reading.changes("shop", None), start=1):
            seen |= {record.external_id for record in page.records}
            if number <= CUSTOMERS:
                shop.control.touch(number)
            if number > CUSTOMERS:
                break

        assert seen == everybody()

    def test_every_mark_vouches_for_what_lies_before_it(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """A scan that breaks off and goes on from any mark has seen everybody (NEW-14)."""
        for number in range(1, CUSTOMERS + 1):
            shop.control.touch(number)
            shop.control.advance_clock(20)
        shop.control.advance_clock(3600)
        pages = shopify.reading.changes("shop", LONG_AGO)
        seen: set[str] = set()
        for page in pages:
            seen |= {record.external_id for record in page.records}
            rest = changed(shopify, page.mark) if page.mark else changed(shopify, LONG_AGO)

            assert seen | {record.external_id for record in rest} == everybody()

    def test_paging_that_ends_early_is_no_end(
        self, shop: SandboxShopify, shopify: Connector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Longer scans begin anew where they have come to."""
        monkeypatch.setattr("shared.connectors.shopify.scan.LONGEST_CHAIN", 20)
        shop.control.set_quirks(most_listed=25)

        assert {record.external_id for record in swept(shopify)} == everybody()

    def test_a_large_shop_is_read_in_bulk(
        self, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The same records, by one operation."""
        by_pages = {r.external_id: r.fingerprint for r in changed(connected())}
        transport.operations.clear()

        in_bulk = list(connected(bulk_above=10).reading.changes("shop", None))

        found = {r.external_id: r.fingerprint for page in in_bulk for r in page.records}
        assert found == by_pages
        assert in_bulk[-1].mark
        assert "CustomersChanged" not in transport.operations

    def test_a_bulk_operation_that_fails_gives_way_to_pages(
        self, shop: SandboxShopify, connected: Connect
    ) -> None:
        """Everybody is read all the same."""
        shop.control.bulk.hold()
        pages = connected(bulk_above=10).reading.changes("shop", None)
        next(pages)
        shop.control.bulk.fail(gid("BulkOperation", 1))

        seen = {record.external_id for page in pages for record in page.records}

        shop.control.bulk.release()
        assert seen == everybody()

    def test_a_sweep_brings_everybody_by_id(self, shopify: Connector) -> None:
        """From the start, and from where one was interrupted."""
        records = swept(shopify)

        rest = swept(shopify, after=records[9].scan_key)

        assert {record.external_id for record in records} == everybody()
        assert [r.external_id for r in rest] == [r.external_id for r in records[10:]]

    def test_one_is_fetched_as_it_is_found(self, shopify: Connector) -> None:
        """A search, a sweep and a fetch give one record."""
        by_id = {record.external_id: record for record in swept(shopify)}

        for record in changed(shopify)[:5]:
            assert fetched(shopify, record.external_id) == record == by_id[record.external_id]

    def test_an_address_edit_shows_in_the_fingerprint(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """Though the change time may stay."""
        before = {record.external_id: record.fingerprint for record in swept(shopify)}
        shop.control.edit_address(5, city="Elsewhere")

        after = {record.external_id: record.fingerprint for record in swept(shopify)}

        assert [each for each in after if after[each] != before[each]] == [one(5)]

    def test_many_addresses_are_all_read(self, shop: SandboxShopify, shopify: Connector) -> None:
        """More than come with their customer (MYOB-2)."""
        for number in range(25):
            shop.control.add_address(5, address1=f"Gasse {number}", city="Ulm", countryCode="DE")

        customer = customer_of(shopify, fetched(shopify, one(5)))

        found = {address.lines[0] for address in customer.addresses}
        assert {f"Gasse {number}" for number in range(25)} <= found

    def test_a_deleted_customer_is_gone(self, shop: SandboxShopify, shopify: Connector) -> None:
        """The shop says null."""
        shop.control.delete_customer(3)

        assert shopify.reading.fetch(one(3)) is None

    def test_customers_are_translated(self, shop: SandboxShopify, shopify: Connector) -> None:
        """What the shop shows arrives in the canonical model."""
        for record in changed(shopify):
            shown = shop.control.customer(int(record.scan_key) - int(one(1)) + 1)

            customer = customer_of(shopify, record)

            assert customer.entity is Entity.ACCOUNT
            assert customer.last_name == shown["lastName"]
            assert customer.source.key == ("nordwind", record.external_id)

    def test_awkward_customers_are_translated_or_named(self, transport: CheckedTransport) -> None:
        """Emoji, blanks, missing addresses: each record becomes a customer or says why not."""
        with SandboxShopify(customers=400, seed=11, awkward=True) as awkward:
            shopify = connect(_settings(awkward, page_size=100), "nordwind", transport=transport)
            records = changed(shopify)
            customers = [customer_of(shopify, record) for record in records]

        assert len(customers) == 400

    def test_metafields_are_read_for_matching(
        self, shop: SandboxShopify, connected: Connect
    ) -> None:
        """Those that are configured (XPR-3, XPR-12)."""
        shop.control.set_customer_number(5, "D-5")

        customer = customer_of(
            reader := connected(metafields=["erp.customer_number", "erp.debtor"]),
            fetched(reader, one(5)),
        )

        assert customer.customer_number == "D-5"
        assert customer.custom.metafields == {"erp.customer_number": "D-5"}

    def test_personal_data_that_is_not_approved_is_not_cleared(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """It stays unsaid, and the check says so."""
        shop.control.set_quirks(protects_data=True)

        customers = [customer_of(shopify, record) for record in changed(shopify)]

        said = {field for customer in customers for field in customer.model_fields_set}
        assert len(customers) == CUSTOMERS
        assert not said & {"first_name", "last_name", "email", "phone", "addresses"}
        problems = {finding.subject for finding in shopify.sink.check() if finding.problem}
        assert "personal data: names" in problems

    def test_the_largest_pages_stay_under_what_one_query_may_cost(
        self, connected: Connect, transport: CheckedTransport
    ) -> None:
        """A thousand points; so nothing has to be asked for twice."""
        transport.notes_costs = True
        shopify = connected(page_size=250, metafields=["erp.a1", "erp.b2", "erp.c3"])

        swept(shopify)
        swept(shopify, "b2b")
        shopify.sink.write([export(one(number), f"D-{number}") for number in range(1, 26)])

        assert max(transport.costs.values()) <= 1000


class TestReadingCompanies:
    """The store view of companies."""

    def test_companies_are_companies(self, shopify: Connector) -> None:
        """With locations and contacts, and no e-mail address (MYOB-1, MYOB-5)."""
        customers = [customer_of(shopify, record) for record in changed(shopify, None, "b2b")]

        assert {c.source.external_id for c in customers} == {
            firm(number) for number in range(1, COMPANIES + 1)
        }
        assert all(customer.entity is Entity.COMPANY for customer in customers)
        assert all(not customer.said("email") for customer in customers)
        assert all(any(a.location_name for a in customer.addresses) for customer in customers)
        assert any(customer.contacts for customer in customers)

    def test_contacts_and_accounts_name_each_other(self, shopify: Connector) -> None:
        """The company its accounts, the account its companies."""
        for record in changed(shopify, None, "b2b"):
            for contact in customer_of(shopify, record).contacts:
                assert contact.account
                account = customer_of(shopify, fetched(shopify, contact.account))

                assert record.external_id in account.companies

    def test_a_changed_company_is_found(self, shop: SandboxShopify, shopify: Connector) -> None:
        """By its own change time."""
        mark = list(shopify.reading.changes("b2b", None))[-1].mark
        shop.control.edit_company(company_gid(2), name="Another Name")

        assert firm(2) in {r.external_id for r in changed(shopify, mark, "b2b")}

    def test_a_changed_location_leads_to_its_company(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """Though the company's own change time may stay."""
        mark = list(shopify.reading.changes("b2b", None))[-1].mark
        before = fetched(shopify, firm(2))
        location = before.payload["locations"][0]["id"]
        shop.control.edit_location(location, name="Another Place")

        [record] = [r for r in changed(shopify, mark, "b2b") if r.external_id == firm(2)]

        assert record.fingerprint != before.fingerprint
        assert record.changed_at > before.changed_at

    def test_a_changed_contact_leads_to_the_company(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """It is a customer that changed."""
        mark = list(shopify.reading.changes("b2b", None))[-1].mark
        [account, *_] = [
            c.account for c in customer_of(shopify, fetched(shopify, firm(2))).contacts
        ]
        assert account
        shop.control.edit_customer(f"gid://shopify/Customer/{account}", firstName="Edited")

        assert firm(2) in {r.external_id for r in changed(shopify, mark, "b2b")}

    def test_a_sweep_and_a_fetch_give_one_record(self, shopify: Connector) -> None:
        """Of a company, too."""
        records = swept(shopify, "b2b")

        assert len(records) == COMPANIES
        assert [fetched(shopify, record.external_id) for record in records] == records

    def test_many_locations_and_contacts_are_all_read(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """More than come with their company."""
        places = tuple({"name": f"Filiale {number}"} for number in range(25))
        founded = shop.control.register_company(
            "Kette", locations_=places, contacts=tuple(range(40, 55))
        )
        number = founded["id"].rpartition("/")[2]

        customer = customer_of(shopify, fetched(shopify, f"company:{number}"))

        assert {a.location_name for a in customer.addresses} == {p["name"] for p in places}
        assert len(customer.contacts) == 15


class TestReadingFromAShopInTrouble:
    """Faults on the way: an error of ours, and a mark that stays."""

    @pytest.mark.parametrize(
        ("kind", "family"),
        [
            ("too_many_requests", RemoteThrottled),
            ("server_error", RemoteUnavailable),
            ("unavailable", RemoteUnavailable),
            ("html", UnreadableAnswer),
            ("truncated", UnreadableAnswer),
            ("reset", RemoteUnavailable),
            ("lost", RemoteUnavailable),
        ],
    )
    def test_a_fault_in_the_midst_ends_the_run_and_the_next_completes_it(
        self, shop: SandboxShopify, shopify: Connector, kind: str, family: type[PatronError]
    ) -> None:
        """Pages before the fault count, nothing after it (NEW-14)."""
        pages = shopify.reading.changes("shop", None)
        first = next(pages)
        shop.control.fail_next(kind, operation="CustomersChanged")

        with pytest.raises(family):
            next(pages)

        seen = {r.external_id for r in [*first.records, *changed(shopify, first.mark)]}
        assert seen == everybody()

    def test_a_throttled_query_says_how_long_to_wait(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """A second at least."""
        shop.control.throttle_next()

        with pytest.raises(RemoteThrottled) as caught:
            shopify.reading.fetch(one(1))

        assert caught.value.retry_after_seconds
        assert caught.value.retry_after_seconds >= 1

    @pytest.mark.parametrize(
        ("code", "family"),
        [
            ("INTERNAL_SERVER_ERROR", RemoteUnavailable),
            ("SHOP_INACTIVE", ConfigurationError),
            ("ACCESS_DENIED", AccessDenied),
        ],
    )
    def test_errors_with_200_are_errors(
        self, shop: SandboxShopify, shopify: Connector, code: str, family: type[PatronError]
    ) -> None:
        """By their code."""
        shop.control.break_next(code=code)

        with pytest.raises(family):
            shopify.reading.fetch(one(1))

    @pytest.mark.parametrize("status", [402, 403, 404, 423])
    def test_a_shop_that_is_closed_pauses_the_channel(
        self, shop: SandboxShopify, shopify: Connector, status: int
    ) -> None:
        """Frozen, unavailable, gone or locked: no retry helps."""
        shop.control.make_unavailable(status)

        with pytest.raises(ConfigurationError):
            shopify.reading.fetch(one(1))

    def test_a_hiccup_is_overcome_within_the_call(
        self, shop: SandboxShopify, connected: Connect
    ) -> None:
        """A read is tried again, though it goes by POST."""
        calls: list[RemoteCall] = []
        reader = connected(calls=calls, timeouts={"attempts": 2, "total_seconds": 10})
        shop.control.fail_next("server_error")

        assert reader.reading.fetch(one(1))
        assert [call.outcome for call in calls][:2] == ["5xx", "2xx"]

    @pytest.mark.parametrize("kind", ["held", "stalled", "slow"])
    def test_a_call_ends_at_its_deadline(
        self, shop: SandboxShopify, connected: Connect, kind: str
    ) -> None:
        """No answer, or one that comes a few bytes a second."""
        reader = connected(timeouts={"attempts": 1, "total_seconds": 0.4})
        shop.control.fail_next(kind, bytes_per_second=20)

        with pytest.raises(RemoteUnavailable):
            reader.reading.fetch(one(1))

        shop.control.release()

    def test_a_token_that_expires_in_the_midst_is_renewed(
        self, shop: SandboxShopify, connected: Connect
    ) -> None:
        """The run goes on as if nothing had been."""
        pages = connected(auth=credentials(shop)).reading.changes("shop", None)
        first = next(pages)
        shop.control.expire_tokens()

        rest = [record for page in pages for record in page.records]

        assert {record.external_id for record in [*first.records, *rest]} == everybody()

    @pytest.mark.parametrize(
        "auth",
        [
            {"kind": "token", "token": "shpat_wrong"},
            {"kind": "client_credentials", "client_id": "x", "client_secret": "wrong"},
        ],
    )
    def test_wrong_credentials_are_a_configuration_error(
        self, connected: Connect, auth: dict[str, str]
    ) -> None:
        """The channel pauses; nothing is tried twice."""
        calls: list[RemoteCall] = []

        with pytest.raises(AccessDenied):
            connected(auth=auth, calls=calls).reading.fetch(one(1))

        assert len(calls) == 1

    def test_a_missing_scope_is_a_configuration_error(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """It names the scope that is missing."""
        shop.control.remove_scopes("read_customers")

        with pytest.raises(AccessDenied) as caught:
            changed(shopify, LONG_AGO)

        assert "read_customers" in str(caught.value)


class TestWriting:
    """The sink."""

    def test_numbers_of_many_customers_go_in_one_call(
        self, shop: SandboxShopify, shopify: Connector, transport: CheckedTransport
    ) -> None:
        """And nothing else is written (NEW-12)."""
        exports = [export(one(number), f"D-{number}") for number in range(1, 26)]

        outcomes = shopify.sink.write(exports)

        assert families(outcomes) == [None] * 25
        assert set(shop.control.customer_numbers().values()) == {e.customer_number for e in exports}
        assert transport.operations.count("MetafieldsSet") == 1
        [write] = shop.control.writes(5)
        assert "metafields" in str(write.given)

    def test_the_echo_of_a_write_is_known(self, shopify: Connector) -> None:
        """The import sees the fingerprint that the write announced (C365-20)."""
        before = fetched(shopify, one(5))

        [outcome] = shopify.sink.write([export(one(5))])

        assert outcome.written
        assert outcome.written.before == before.fingerprint
        assert outcome.written.after == fetched(shopify, one(5)).fingerprint

    def test_writing_again_is_a_no_op(self, shop: SandboxShopify, shopify: Connector) -> None:
        """The second write reads and stops."""
        shopify.sink.write([export(one(5))])

        [outcome] = shopify.sink.write([export(one(5))])

        assert outcome.written
        assert not outcome.written.changed
        assert len(shop.control.writes(5)) == 1

    def test_a_lost_answer_leads_to_no_second_write(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """The shop has stored it and cannot say so; the next try finds it there."""
        shop.control.fail_next("lost", operation="MetafieldsSet")

        [lost] = shopify.sink.write([export(one(5))])
        [found] = shopify.sink.write([export(one(5))])

        assert isinstance(lost.error, RemoteUnavailable)
        assert found.written
        assert not found.written.changed
        assert len(shop.control.writes(5)) == 1

    def test_a_number_that_is_taken_costs_the_others_nothing(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """One is dead-lettered, the others have theirs (NEW-12)."""
        shop.control.set_customer_number(40, "D-2")
        exports = [export(one(number), f"D-{number}") for number in (1, 2, 3)]

        outcomes = shopify.sink.write(exports)

        assert families(outcomes) == [None, "RemoteRejected", None]
        assert shop.control.customer_number(3) == "D-3"

    def test_what_the_shop_wrote_meanwhile_is_read_first(
        self, shop: SandboxShopify, shopify: Connector, transport: CheckedTransport
    ) -> None:
        """The digest does not hold; the second try goes by what stands there."""
        happened: list[str] = []

        def meddle(operation: str) -> None:
            if operation == "MetafieldsSet" and not happened:
                happened.append(operation)
                shop.control.set_customer_number(5, "theirs")

        transport.before = meddle

        outcomes = shopify.sink.write([export(one(5), "D-5"), export(one(6), "D-6")])

        assert families(outcomes) == [None, None]
        assert shop.control.customer_number(5) == "D-5"
        assert shop.control.customer_number(6) == "D-6"

    def test_who_is_gone_or_merged_is_told(self, shop: SandboxShopify, shopify: Connector) -> None:
        """The others are written."""
        shop.control.delete_customer(5)
        shop.control.merge(6, 7)

        outcomes = shopify.sink.write([export(one(n), f"D-{n}") for n in (5, 6, 7)])

        assert families(outcomes) == ["RemoteGone", None, "RemoteGone"]

    def test_a_metafield_without_a_definition_is_a_configuration_error(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """The channel pauses until it is defined."""
        shop.control.remove_metafield_definition()

        [outcome] = shopify.sink.write([export(one(5))])

        assert isinstance(outcome.error, AttributeMissing)

    def test_a_missing_right_is_a_configuration_error(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """It names the scope."""
        shop.control.remove_scopes("write_customers")

        [outcome] = shopify.sink.write([export(one(5))])

        assert isinstance(outcome.error, AccessDenied)
        assert "write_customers" in str(outcome.error)

    def test_tags_are_added(self, shop: SandboxShopify, connected: Connect) -> None:
        """And none is taken away."""
        before = set(shop.control.customer(5)["tags"])

        [outcome] = connected("tags").sink.write([export(one(5), values={"tags": "b2b,erp"})])

        assert outcome.written
        assert set(shop.control.customer(5)["tags"]) == before | {"b2b", "erp"}

    def test_a_company_and_its_locations_get_their_numbers(
        self, shop: SandboxShopify, shopify: Connector
    ) -> None:
        """Each location its own; the echo is known (MYOB-1)."""
        before = fetched(shopify, firm(2))
        locations = [a for a in customer_of(shopify, before).addresses if a.location_name]
        numbers = {str(a.external_id): f"D-2-{n:02}" for n, a in enumerate(locations, start=1)}

        [outcome] = shopify.sink.write([export(firm(2), "D-2", locations=numbers)])

        after = fetched(shopify, firm(2))
        assert outcome.written
        assert (outcome.written.before, outcome.written.after) == (
            before.fingerprint,
            after.fingerprint,
        )
        assert shop.control.company_number(company_gid(2)) == "D-2"
        for location, number in numbers.items():
            place = f"gid://shopify/CompanyLocation/{location}"
            assert shop.control.location_number(place) == number

    def test_a_companys_number_that_is_taken_is_refused(self, shopify: Connector) -> None:
        """A number has one company."""
        outcomes = shopify.sink.write([export(firm(1), "D-1"), export(firm(2), "D-1")])

        assert families(outcomes) == [None, "RemoteRejected"]
        assert isinstance(outcomes[1].error, RemoteRejected)

    def test_gone_companies_are_told(self, shopify: Connector) -> None:
        """As customers are."""
        [outcome] = shopify.sink.write([export("company:1")])

        assert isinstance(outcome.error, RemoteGone)

    def test_two_processes_share_a_shop(self, transport: CheckedTransport) -> None:
        """Hardly a call is refused, though each alone would use up all the points.

        Who is refused, because both took the last points at once, is told to wait, and is written
        at the second try.
        """
        with SandboxShopify(
            customers=200, seed=7, awkward=False, restore_rate=400, bucket=600
        ) as busy:
            processes = [connect(_settings(busy), "nordwind", transport=transport) for _ in "ab"]

            def work(worker: int) -> int:
                sink = processes[worker % 2].sink
                numbers = range(worker * 25 + 1, worker * 25 + 26)
                wanted = [export(one(n), f"D-{n}") for n in numbers]
                outcomes = sink.write(wanted)
                while any(outcome.error for outcome in outcomes):
                    assert {type(o.error) for o in outcomes} <= {RemoteThrottled, NoneType}
                    outcomes = sink.write(wanted)
                return len(outcomes)

            with ThreadPoolExecutor(8) as threads:
                written = sum(threads.map(work, range(8)))

            assert written == 200
            assert busy.control.throttled() <= 2


class TestChecking:
    """What is verified at start."""

    def test_a_shop_in_order_has_no_problems(self, connected: Connect) -> None:
        """Rights, version, definition, personal data."""
        findings = connected("tags").sink.check()

        assert {finding.problem for finding in findings} == {None}

    def test_what_is_wrong_is_named_with_advice(
        self, shop: SandboxShopify, connected: Connect
    ) -> None:
        """A missing definition, a missing scope, a retired version."""
        shop.control.remove_metafield_definition()
        shop.control.remove_scopes("write_customers")

        findings = connected(api_version="2024-10").sink.check()

        problems = {finding.subject: finding for finding in findings if finding.problem}
        assert set(problems) == {
            "write customers",
            "API version 2024-10",
            "metafield erp.customer_number",
        }
        assert all(finding.advice for finding in problems.values())

    def test_what_can_be_configured_is_discovered(self, shopify: Connector) -> None:
        """The entities and the metafields."""
        found = {(each.family, each.name) for each in shopify.reading.discover()}

        assert ("metafield", "erp.customer_number") in found
        assert ("store_view", "companies") in found


class TestNotices:
    """Webhooks as the shop sends them."""

    @pytest.mark.parametrize("topic", ["customers/update", "customers/create", "customers/delete"])
    def test_a_webhook_leads_to_its_customer(self, shop: SandboxShopify, topic: str) -> None:
        """Signed by the app's secret, and by no other."""
        sent = shop.control.send_webhook("http://127.0.0.1:9/", topic, 5)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        now = datetime.now(UTC) + timedelta(seconds=1)

        notice = read_notice(headers, sent.body, [shop.client_secret], now)

        assert notice.external_ids == (one(5),)
        assert notice.topic == topic
        with pytest.raises(NoticeRefused):
            read_notice(headers, sent.body, ["another"], now)
