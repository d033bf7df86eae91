"""The BigCommerce connector against a shop on a real socket, each request held to the contract.

The shop is the sandbox: it counts quotas, keeps books of what was written, and goes wrong when
told to.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.hooks import signature
from shared.connectors.bigcommerce.connect import connect
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.bigcommerce.webhooks import read_notice
from shared.connectors.calls import RemoteCall
from shared.connectors.ports import Connector, CustomerSource, Page, RemoteRecord, Watermark
from shared.connectors.registry import settings_of
from shared.domain.customer import CustomerKind, Entity, Version
from shared.domain.errors import (
    AccessDenied,
    AttributeMissing,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
    UnreadableRecord,
)
from shared.domain.messages import CustomerExport
from tests.contract.bigcommerce_spec import MOCK, CheckedTransport, Spec

pytestmark = pytest.mark.skipif(
    not MOCK.is_file(), reason=f"BigCommerce's contract is not at {MOCK.name} beside the project"
)

NUMBER = "ERP Customer Number"
LOYALTY = "Loyalty Level"
READ_AT = datetime(2026, 1, 5, tzinfo=UTC)
CUSTOMERS = 60
VIEWS: dict[str, Any] = {"b2c": {}}
BOTH: dict[str, Any] = {"b2c": {}, "b2b": {"entity": "companies"}}
MINUTE = timedelta(minutes=1)
PERSON = {"email": "new@example.com", "first_name": "Ann", "last_name": "Lee"}
ADDRESS = {
    "first_name": "Ann", "last_name": "Lee", "city": "Wien", "state_or_province": "Wien",
    "postal_code": "1010", "country_code": "AT",
}  # fmt: skip
METAFIELD = {"kind": "metafield", "namespace": "erp", "key": "customer_number"}

Connect = Callable[..., Connector]


@pytest.fixture
def shop() -> Iterator[SandboxBigCommerce]:
    """Give a shop of well-behaved customers; the sandbox itself must not have failed."""
    with SandboxBigCommerce(
        customers=CUSTOMERS, seed=7, awkward=False, quota=100_000, b2b_quota=100_000
    ) as running:
        yield running
        assert not running.control.bugs()


@pytest.fixture(scope="session")
def spec() -> Spec:
    """Give BigCommerce's contract."""
    return Spec()


@pytest.fixture
def transport(spec: Spec) -> Iterator[CheckedTransport]:
    """Give the connections, watched."""
    watched = CheckedTransport(spec)
    yield watched
    watched.close()


@pytest.fixture
def connected(shop: SandboxBigCommerce, transport: CheckedTransport) -> Connect:
    """Give what connects to the shop, with settings changed at will."""

    def build(
        *fields: str,
        views: dict[str, Any] = VIEWS,
        calls: list[RemoteCall] | None = None,
        **changes: Any,
    ) -> Connector:
        settings = settings_of("bigcommerce", {**_connector(shop), **changes}, views)
        assert isinstance(settings, BigCommerceSettings)
        observe = (calls if calls is not None else []).append
        return connect(settings, "shop", observe, fields, transport=transport)

    return build


@pytest.fixture
def source(connected: Connect) -> CustomerSource:
    """Give the reading side, with small pages."""
    return connected().reading


def _connector(shop: SandboxBigCommerce) -> dict[str, Any]:
    return {
        "base_url": shop.url,
        "b2b_base_url": shop.url,
        "store_hash": shop.store_hash,
        "access_token": shop.token,
        "b2b_requests_per_second": 100,
        "number": {"kind": "attribute", "name": NUMBER},
        "company_number_field": NUMBER,
        "tax_id_field": "VAT ID",
        "page_size": 7,
        "timeouts": {"attempts": 1, "total_seconds": 10},
    }


def export(external_id: int | str, number: str = "D10023", **values: str) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if values else "customer_number",
        channel="shop",
        external_id=str(external_id),
        store_view="b2c",
        customer_id=UUID(int=1),
        customer_number=number,
        values={
            name.replace("_", " ") if name == "Loyalty_Level" else name: value
            for name, value in values.items()
        },
        version=Version(changed_at=READ_AT, read_at=READ_AT, fingerprint="f"),
    )


def changed(
    source: CustomerSource, since: Watermark | None = None, view: str = "b2c"
) -> list[RemoteRecord]:
    """Return everything that changed."""
    return [record for page in source.changes(view, since) for record in page.records]


def ids(records: list[RemoteRecord]) -> list[int]:
    """Return the ids of records of customers."""
    return [int(record.external_id) for record in records]


def now(shop: SandboxBigCommerce) -> Watermark:
    """Return a watermark at the shop's present time."""
    return Watermark(clock(shop))


def clock(shop: SandboxBigCommerce) -> datetime:
    """Return the shop's present time."""
    return datetime.fromisoformat(shop.control.now())


def marked(pages: list[Page]) -> datetime:
    """Return the time of the mark that a run ended with."""
    assert pages[-1].mark
    return pages[-1].mark.changed_at


def locations(external_id: str, numbers: dict[str, str]) -> CustomerExport:
    """Return the export of a company's number and those of its locations."""
    return export(external_id).model_copy(update={"locations": numbers})


def number_of(record: RemoteRecord) -> int:
    """Return a company's own id."""
    return int(record.external_id.removeprefix("company:"))


def unsubscribe(shop: SandboxBigCommerce, email: str) -> None:
    """Let somebody have no newsletters any more."""
    base = f"{shop.url}/stores/{shop.store_hash}/v3/customers/subscribers"
    with httpx2.Client(headers=shop.headers()) as client:
        [found] = client.get(base, params={"email": email}).json()["data"]
        client.put(f"{base}/{found['id']}", json={"consents": []}).raise_for_status()


def everybody(shop: SandboxBigCommerce) -> list[int]:
    """Return the ids that the shop has given."""
    return list(range(1, shop.control.customer_count() + 1))


class TestReading:
    """The source."""

    def test_everybody_is_read_once_and_the_mark_comes_last(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """A first run brings each customer (XPR-2); its end alone moves the cursor (NEW-14)."""
        pages = list(source.changes("b2c", None))

        records = [record for page in pages for record in page.records]
        assert ids(records) == everybody(shop)
        assert [page.mark for page in pages[:-1]] == [None] * (len(pages) - 1)
        assert pages[-1].is_last
        assert marked(pages) == pytest.approx(clock(shop) - timedelta(minutes=15), abs=MINUTE)

    def test_the_next_run_brings_who_changed_since(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """And nobody else."""
        since = now(shop)
        shop.control.advance_clock(60)
        shop.control.edit_profile(17, first_name="Edited")

        assert ids(changed(source, since)) == [17]

    def test_an_attribute_written_by_another_program_is_a_change(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """It leaves the customer's own time alone, so its own is asked for besides."""
        since = now(shop)
        shop.control.advance_clock(60)
        shop.control.set_quirks(touches_on_attribute=False)
        shop.control.set_attribute(23, NUMBER, "D-7")

        [record] = changed(source, since)

        assert record.external_id == "23"
        assert source.to_customer(record, "b2c", READ_AT).customer_number == "D-7"

    def test_who_moves_while_pages_are_read_is_not_missed(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """Pages go on from the last id, which never moves."""
        edited = everybody(shop)
        seen: set[int] = set()
        for page in source.changes("b2c", None):
            seen |= set(ids(list(page.records)))
            if edited:
                shop.control.touch(edited.pop())

        assert seen == set(everybody(shop))

    def test_a_sweep_brings_everybody_by_id(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """From the start, and from where one was interrupted."""
        pages = list(source.sweep("b2c", ""))
        records = [record for page in pages for record in page.records]

        rest = [r for page in source.sweep("b2c", records[9].scan_key) for r in page.records]

        assert ids(records) == everybody(shop)
        assert [record.scan_key for record in records] == sorted(r.scan_key for r in records)
        assert pages[-1].is_last
        assert rest == records[10:]

    def test_an_address_edit_shows_in_the_fingerprint_only(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """BigCommerce leaves date_modified alone; the sweep finds it all the same."""
        since = now(shop)
        before = {record.external_id: record for record in changed(source)}
        shop.control.advance_clock(60)
        shop.control.edit_address(5, city="Elsewhere")

        assert not changed(source, since)
        swept = [record for page in source.sweep("b2c", "") for record in page.records]

        news = [r for r in swept if r.fingerprint != before[r.external_id].fingerprint]
        assert ids(news) == [5]

    def test_every_way_of_reading_gives_the_same_record(self, source: CustomerSource) -> None:
        """Changes, sweep and fetch agree, so that the one is no news to the other."""
        found = changed(source)
        swept = [record for page in source.sweep("b2c", "") for record in page.records]

        fetched = [source.fetch(record.external_id) for record in found[:5]]

        assert swept == found
        assert fetched == found[:5]

    def test_a_deleted_customer_is_gone(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """The shop answers 200 with nothing in it."""
        shop.control.delete_customer(3)

        assert source.fetch("3") is None
        assert source.fetch("none") is None

    def test_more_than_ten_addresses_are_read(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """The shop embeds ten; the rest is asked for (XPR-2)."""
        for place in range(13):
            shop.control.add_address(8, **ADDRESS, address1=f"Gasse {place}")
        there = len(shop.control.customer(8)["addresses"])

        record = source.fetch("8")

        assert record
        assert len(source.to_customer(record, "b2c", READ_AT).addresses) == there > 10

    def test_customers_are_translated(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """What the shop shows arrives in the canonical model, custom data included (XPR-3)."""
        shop.control.set_attribute(4, LOYALTY, "gold")
        shop.control.set_form_field(4, "VAT ID", "DE123456789")
        record = source.fetch("4")
        shown = shop.control.customer(4)

        assert record
        customer = source.to_customer(record, "b2c", READ_AT)

        assert customer.email == shown["email"]
        assert customer.last_name == shown["last_name"]
        assert customer.tax_id == "DE123456789"
        assert customer.custom.attributes[LOYALTY] == "gold"
        assert [a.city for a in customer.addresses] == [a["city"] for a in shown["addresses"]]
        assert customer.source.key == ("shop", "4")

    def test_customers_of_another_storefront_belong_to_its_view(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """One view has a storefront, the other what is left; nobody is in both (XPR-2)."""
        views = {"second": {"channel_id": 2}, "rest": {}}
        shop.control.register({**PERSON, "origin_channel_id": 2})
        reader = connected(views=views).reading
        newcomer = max(everybody(shop))

        second, rest = changed(reader, view="second"), changed(reader, view="rest")

        assert ids(second) == [newcomer]
        assert newcomer not in ids(rest)
        assert {reader.store_view_of(record) for record in second} == {"second"}

    def test_awkward_customers_are_translated_or_named(self, transport: CheckedTransport) -> None:
        """Emoji, blanks, missing addresses: each record becomes a customer or says why not."""
        with SandboxBigCommerce(customers=300, seed=11, awkward=True, quota=10_000) as awkward:
            settings = settings_of("bigcommerce", {**_connector(awkward), "page_size": 100}, VIEWS)
            assert isinstance(settings, BigCommerceSettings)
            reader = connect(settings, "shop", transport=transport).reading
            records = changed(reader)
            unreadable = 0
            for record in records:
                try:
                    reader.to_customer(record, "b2c", READ_AT)
                except UnreadableRecord:
                    unreadable += 1

        assert len(records) == 300
        assert unreadable < len(records) / 10

    def test_metafields_are_read_where_they_are_configured(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """All of them in one list, by customer; a changed one is a change (XPR-3, XPR-12)."""
        connector = connected(number=METAFIELD)
        connector.sink.write([export(6, "D-6")])
        reader = connector.reading
        shop.control.advance_clock(60)
        since = now(shop)
        shop.control.advance_clock(60)
        connected(number=METAFIELD).sink.write([export(9, "D-9")])

        records = {record.external_id: record for record in changed(reader)}

        six = reader.to_customer(records["6"], "b2c", READ_AT)
        assert six.customer_number == "D-6"
        assert ids(changed(reader, since)) == [9]
        assert reader.fetch("6") == records["6"]

    def test_what_was_fetched_before_hides_nothing(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """One customer's metafields are not taken for everybody's."""
        connected(number=METAFIELD).sink.write([export(6, "D-6"), export(9, "D-9")])
        reader = connected(number=METAFIELD).reading
        reader.fetch("9")

        records = {record.external_id: record for record in changed(reader)}

        assert reader.to_customer(records["6"], "b2c", READ_AT).customer_number == "D-6"

    def test_what_a_run_brought_to_its_end_is_not_fetched_again(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """Each run steps back, over attributes that the one before has seen."""
        since = now(shop)
        shop.control.advance_clock(60)
        shop.control.set_attribute(23, NUMBER, "D-7")
        broken_off = source.changes("b2c", since)
        next(broken_off)

        first, second = changed(source, since), changed(source, since)
        shop.control.advance_clock(60)
        shop.control.set_attribute(23, NUMBER, "D-8")
        third = changed(source, since)

        assert [ids(run) for run in (first, second, third)] == [[23], [], [23]]

    def test_consent_to_newsletters_is_read_where_it_is_wanted(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """By e-mail address; whoever changes it is read again (D365-11)."""
        reader = connected(newsletter_consent=True).reading
        before = {r.external_id: reader.to_customer(r, "b2c", READ_AT) for r in changed(reader)}
        consents = {i: c.marketing_consent for i, c in before.items()}
        one = next(i for i, consent in consents.items() if consent and consent.granted)
        shop.control.advance_clock(60)
        since = now(shop)
        shop.control.advance_clock(60)
        email = shop.control.customer(int(one))["email"]

        unsubscribe(shop, email)

        [record] = changed(reader, since)
        consent = reader.to_customer(record, "b2c", READ_AT).marketing_consent
        assert record.external_id == one
        assert consent
        assert not consent.granted
        assert {bool(c and c.granted) for c in consents.values()} == {True, False}
        assert reader.fetch(one) == record


class TestReadingFromAShopInTrouble:
    """Faults on the way: an error of ours, and no mark."""

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
            ("repeated_page", UnreadableAnswer),
        ],
    )
    def test_a_fault_in_the_midst_ends_the_run_without_a_mark(
        self, shop: SandboxBigCommerce, source: CustomerSource, kind: str, family: type[PatronError]
    ) -> None:
        """The next run begins again and misses nobody (NEW-14)."""
        pages = source.changes("b2c", None)
        read = [next(pages), next(pages)]
        shop.control.fail_next(kind, path="customers")

        with pytest.raises(family) as caught:
            read += pages

        assert type(caught.value) is family
        assert {page.mark for page in read} == {None}
        assert ids(changed(source)) == everybody(shop)

    def test_the_shop_says_how_long_to_wait(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """X-Retry-After travels with the error."""
        shop.control.fail_next("too_many_requests", retry_after="17")

        with pytest.raises(RemoteThrottled) as caught:
            source.fetch("1")

        assert caught.value.retry_after_seconds == 17

    def test_a_used_up_quota_is_waited_for(
        self, shop: SandboxBigCommerce, source: CustomerSource
    ) -> None:
        """The shop's own headers tell how fast to go, so that it never has to refuse."""
        shop.control.set_quota(12, 0.5)

        assert ids(changed(source)) == everybody(shop)

        assert shop.control.refused() == 0

    def test_a_call_ends_at_its_deadline(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """No answer comes."""
        calls: list[RemoteCall] = []
        reader = connected(calls=calls, timeouts={"attempts": 1, "total_seconds": 0.4}).reading
        shop.control.fail_next("held")

        with pytest.raises(RemoteUnavailable):
            reader.fetch("1")

        assert [call.outcome for call in calls] == ["timeout"]
        shop.control.release()

    def test_a_wrong_token_is_a_configuration_error(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The channel pauses."""
        shop.control.revoke_token()

        with pytest.raises(AccessDenied):
            connected().reading.fetch("1")


class TestWriting:
    """The sink."""

    def test_a_number_is_written_and_nothing_else(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The shop's own books show one attribute (NEW-12)."""
        before = shop.control.customer(5)

        [outcome] = connected().sink.write([export(5)])

        assert outcome.error is None
        assert outcome.written
        assert outcome.written.changed
        assert not outcome.written.unforeseen
        assert shop.control.attribute(5, NUMBER) == "D10023"
        after = shop.control.customer(5)
        assert {k for k in after if after[k] != before[k]} <= {"attributes", "attribute_count"}

    def test_ten_customers_share_a_call(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """One write for ten, read before and after."""
        sink = connected(page_size=250).sink
        transport.requests.clear()

        outcomes = sink.write([export(number, f"D-{number}") for number in range(1, 11)])

        assert [outcome.error for outcome in outcomes] == [None] * sink.customers_at_once
        assert shop.control.attribute_values(NUMBER) == {n: f"D-{n}" for n in range(1, 11)}
        assert transport.count("PUT", "attribute-values") == 1
        assert transport.count("GET", "/v3/customers") == 2

    def test_at_most_three_writes_run_at_once(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The platform refuses a fourth; so it waits here."""
        shop.control.set_latency(0.05)
        sink = connected(page_size=250).sink

        with ThreadPoolExecutor(8) as threads:
            runs = threads.map(lambda n: sink.write([export(n, f"D-{n}")]), range(1, 17))
            outcomes = [outcome for run in runs for outcome in run]

        assert [outcome.error for outcome in outcomes] == [None] * 16
        assert shop.control.refused() == 0

    def test_one_who_is_refused_costs_no_other(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The platform refuses ten for one; each is looked at and sent again alone."""
        shop.control.set_quirks(keeps_good_items=True)

        def delete(request: httpx2.Request) -> None:
            if request.method == "PUT":
                shop.control.delete_customer(5)
                transport.before = lambda _request: None

        transport.before = delete

        outcomes = connected().sink.write([export(n, f"D-{n}") for n in (4, 5, 6)])

        assert [type(outcome.error) for outcome in outcomes] == [NoneType, RemoteGone, NoneType]
        assert shop.control.attribute_values(NUMBER) == {4: "D-4", 6: "D-6"}
        assert [o.written.changed for o in outcomes if o.written] == [True, True]

    def test_the_echo_of_a_write_is_known(self, connected: Connect, source: CustomerSource) -> None:
        """The import sees afterwards what the write announced (C365-20)."""
        before = source.fetch("7")

        [outcome] = connected().sink.write([export(7)])
        after = source.fetch("7")

        assert before
        assert after
        assert outcome.written
        assert outcome.written.before == before.fingerprint
        assert outcome.written.after == after.fingerprint

    def test_writing_again_is_a_no_op(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The second write reads and stops."""
        sink = connected().sink
        sink.write([export(5)])

        [outcome] = sink.write([export(5)])

        assert outcome.written
        assert not outcome.written.changed
        assert transport.count("PUT", "attribute-values") == 1

    def test_a_lost_answer_leads_to_no_second_write(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The shop has stored it and cannot say so; the next try finds it there."""
        sink = connected().sink
        shop.control.fail_next("lost", method="PUT")

        [lost] = sink.write([export(5)])
        [found] = sink.write([export(5)])

        assert isinstance(lost.error, RemoteUnavailable)
        assert found.written
        assert not found.written.changed
        assert transport.count("PUT", "attribute-values") == 1

    def test_additional_data_and_group_are_written_by_name(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The group by its name, the rest into attributes."""
        exports = [export(5), export(5, Loyalty_Level="gold", customer_group_id="Wholesale")]

        outcomes = connected(LOYALTY, "customer_group_id").sink.write(exports)

        assert [outcome.error for outcome in outcomes] == [None, None]
        assert shop.control.customer(5)["customer_group_id"] == 3
        assert shop.control.attribute(5, LOYALTY) == "gold"
        assert shop.control.attribute(5, NUMBER) == "D10023"

    def test_a_group_that_the_company_owns_is_told(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The shop says 200 and drops it (NEW-12)."""
        shop.control.set_quirks(independent_companies=True)
        buyer = next(n for n in everybody(shop) if shop.control.company_of(n))

        [outcome] = connected("customer_group_id").sink.write(
            [export(buyer, customer_group_id="Guests")]
        )

        assert isinstance(outcome.error, RemoteRejected)
        assert "customer_group_id" in str(outcome.error)

    def test_what_is_edited_meanwhile_survives_and_is_told(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """Between our read and our write a shopper moves house."""

        def move(request: httpx2.Request) -> None:
            if request.method == "PUT":
                shop.control.edit_address(5, city="Neustadt")

        transport.before = move

        [outcome] = connected().sink.write([export(5)])

        assert outcome.written
        assert outcome.written.unforeseen
        assert shop.control.customer(5)["addresses"][0]["city"] == "Neustadt"

    def test_a_number_can_be_a_metafield(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """Created once and changed later, for several customers at once."""
        sink = connected(number=METAFIELD).sink

        first = sink.write([export(5, "D-5"), export(6, "D-6")])
        second = sink.write([export(5, "D-50"), export(6, "D-6")])

        assert [outcome.error for outcome in [*first, *second]] == [None] * 4
        assert [o.written.changed for o in second if o.written] == [True, False]
        assert shop.control.metafields("erp", "customer_number") == {5: "D-50", 6: "D-6"}

    def test_a_metafield_that_somebody_creates_meanwhile_is_changed(
        self, shop: SandboxBigCommerce, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The platform says 409; so it is looked at again."""
        sink, other = connected(number=METAFIELD).sink, connected(number=METAFIELD).sink

        def race(request: httpx2.Request) -> None:
            if request.method == "POST":
                transport.before = lambda _request: None
                other.write([export(5, "D-other")])

        transport.before = race

        [outcome] = sink.write([export(5, "D-5")])

        assert outcome.error is None
        assert shop.control.metafield(5, "erp", "customer_number") == "D-5"

    def test_a_missing_attribute_is_an_error(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """Found before anything is written, and when it is deleted between two writes."""
        sink = connected().sink
        sink.write([export(4)])
        shop.control.remove_attribute(NUMBER)

        [cached] = connected().sink.write([export(5)])

        assert isinstance(cached.error, AttributeMissing)
        assert NUMBER in str(cached.error)

    def test_a_missing_right_is_an_error(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """A token that may only read."""
        shop.control.set_scopes("store_v2_customers_read_only")

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, AccessDenied)

    def test_a_deleted_customer_is_gone(self, shop: SandboxBigCommerce, connected: Connect) -> None:
        """And the other of the same call is written."""
        shop.control.delete_customer(5)

        gone, written = connected().sink.write([export(5), export(6)])

        assert isinstance(gone.error, RemoteGone)
        assert written.written


class TestCompanies:
    """The B2B Edition."""

    def test_companies_are_read_with_locations_and_buyers(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """A firm stays a firm, with the ids of its places (MYOB-1, MYOB-2, MYOB-5)."""
        reader = connected(views=BOTH).reading
        company_id = shop.control.company_ids()[0]
        shop.control.edit_company(
            company_id, extraFields=[{"fieldName": NUMBER, "fieldValue": "D-1"}]
        )

        records = changed(reader, view="b2b")

        names = [record.external_id for record in records]
        assert sorted(names) == sorted(f"company:{n}" for n in shop.control.company_ids())
        record = next(r for r in records if r.external_id == f"company:{company_id}")
        company = reader.to_customer(record, "b2b", READ_AT)
        assert (company.entity, company.kind) == (Entity.COMPANY, CustomerKind.BUSINESS)
        assert company.customer_number == "D-1"
        assert all(address.location_name for address in company.addresses)
        assert company.default_billing
        assert [contact.is_main for contact in company.contacts] == [True]
        assert reader.store_view_of(record) == "b2b"

    def test_every_way_of_reading_a_company_gives_the_same_record(self, connected: Connect) -> None:
        """The list and the single company are written differently by the platform."""
        reader = connected(views=BOTH).reading
        found = sorted(changed(reader, view="b2b"), key=lambda record: record.scan_key)

        swept = [record for page in reader.sweep("b2b", "") for record in page.records]
        fetched = [reader.fetch(record.external_id) for record in found[:3]]

        assert swept == found
        assert fetched == found[:3]
        assert [
            r for page in reader.sweep("b2b", found[2].scan_key) for r in page.records
        ] == found[3:]

    def test_a_changed_company_and_a_changed_location_are_found(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """A location's change leaves the company's own time alone."""
        connector = connected(views=BOTH)
        reader = connector.reading
        first, second = changed(reader, view="b2b")[:2]
        location = reader.to_customer(second, "b2b", READ_AT).addresses[0].external_id
        since = now(shop)
        shop.control.advance_clock(60)
        shop.control.edit_company(number_of(first), companyName="Renamed GmbH")
        connector.sink.write([locations(second.external_id, {str(location): "L-1"})])

        pages = list(reader.changes("b2b", since))

        records = [record for page in pages for record in page.records]
        assert {r.external_id for r in records} == {first.external_id, second.external_id}
        assert marked(pages) == pytest.approx(clock(shop) - timedelta(minutes=15), abs=2 * MINUTE)

    def test_a_buyer_names_his_company(self, shop: SandboxBigCommerce, connected: Connect) -> None:
        """Where companies are read, an account tells for whom it buys (MYOB-5)."""
        buyer = next(n for n in everybody(shop) if shop.control.company_of(n))
        company = shop.control.company_of(buyer)
        reader = connected(views=BOTH).reading

        record = reader.fetch(str(buyer))

        assert record
        assert company
        customer = reader.to_customer(record, "b2c", READ_AT)
        assert customer.entity is Entity.ACCOUNT
        assert customer.companies == (f"company:{company['companyId']}",)

    def test_numbers_of_a_company_and_its_locations_are_written(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """Into an extra field, and the external id of each address; once (MYOB-1, NEW-12)."""
        connector = connected(views=BOTH)
        before = changed(connector.reading, view="b2b")[0]
        company = connector.reading.to_customer(before, "b2b", READ_AT)
        numbers = {str(a.external_id): f"L-{a.external_id}" for a in company.addresses}
        wanted = locations(before.external_id, {**numbers, "999": "of a deleted one"})

        [first] = connector.sink.write([wanted])
        [again] = connector.sink.write([wanted])

        after = connector.reading.fetch(before.external_id)
        assert after
        assert first.error is None
        assert first.written
        assert (first.written.changed, first.written.unforeseen) == (True, False)
        assert first.written.before == before.fingerprint
        assert first.written.after == after.fingerprint
        assert again.written
        assert not again.written.changed
        assert shop.control.company_extra_field(number_of(before)) == "D10023"
        shown = {str(a["addressId"]): a.get("externalId") for a in after.payload["addresses"]}
        assert shown == numbers

    def test_a_company_that_is_gone_is_told(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """The shop says 404."""
        sink = connected(views=BOTH).sink

        [outcome] = sink.write([export("company:999999")])

        assert isinstance(outcome.error, RemoteGone)
        assert connected(views=BOTH).reading.fetch("company:999999") is None


class TestChecking:
    """What is verified at start, and what can be configured."""

    def test_a_shop_in_order_has_no_problems(self, connected: Connect) -> None:
        """Rights, attributes and extra fields are as they should be (MYOB-7)."""
        sink = connected(LOYALTY, "customer_group_id", views=BOTH, metafields=["erp"]).sink

        findings = sink.check()

        assert {finding.problem for finding in findings} == {None}
        subjects = {finding.subject for finding in findings}
        assert {f"attribute {LOYALTY}", f"extra field {NUMBER}", "read metafields"} <= subjects

    def test_what_is_wrong_is_named_with_advice(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """A missing attribute, a missing extra field (MYOB-7)."""
        shop.control.remove_attribute(NUMBER)

        findings = connected(views=BOTH, company_number_field="none").sink.check()

        problems = {f.subject: f for f in findings if f.problem}
        assert set(problems) == {f"attribute {NUMBER}", "extra field none"}
        assert all(finding.advice for finding in problems.values())

    def test_a_refused_token_is_named(self, shop: SandboxBigCommerce, connected: Connect) -> None:
        """Each thing that could not be seen has its advice."""
        connector = connected(views=BOTH)
        shop.control.revoke_token()

        findings = connector.sink.check()

        assert [f.subject for f in findings if f.problem] == [
            "read customers", "attributes", "read companies",
        ]  # fmt: skip

    def test_a_shop_that_reads_times_in_another_zone_is_told(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """Else changes would be missed; a wider overlap mends it."""
        shop.control.set_quirks(naive_dates_hours=-6)
        shop.control.touch(5)

        narrow = connected().sink.check()
        wide = connected(overlap_minutes=1560).sink.check()

        assert [f.subject for f in narrow if f.problem] == ["read customers by time"]
        assert [f.subject for f in wide if f.problem] == []

    def test_what_can_be_configured_is_listed(
        self, shop: SandboxBigCommerce, connected: Connect
    ) -> None:
        """Attributes, form fields, metafields, groups, storefronts, extra fields (XPR-3)."""
        connected(number=METAFIELD).sink.write([export(5)])
        shop.control.set_form_field(4, "VAT ID", "DE123456789")

        found = {(d.family, d.name) for d in connected(views=BOTH).reading.discover()}

        assert {
            ("attribute", NUMBER),
            ("form_field", "VAT ID"),
            ("metafield", "erp.customer_number"),
            ("group", "Wholesale"),
            ("store_view", "channel_id 1"),
        } <= found


class TestWebhooks:
    """What the shop itself signs is read."""

    def test_the_shops_own_webhooks_name_their_customers(self, shop: SandboxBigCommerce) -> None:
        """Customers, addresses and companies, by the same event when it comes again."""
        shop.control.edit_profile(4, first_name="Edited")
        shop.control.edit_address(5, city="Elsewhere")
        company_id = shop.control.company_ids()[0]
        shop.control.edit_company(company_id, companyName="Renamed GmbH")
        at = datetime.now(UTC)
        stamp = str(int(at.timestamp()))

        notices = []
        for event in shop.control.events():
            signed = signature(shop.client_secret, "msg_1", int(stamp), event.body())
            headers = {
                "webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signed,
            }  # fmt: skip
            notices.append(read_notice(headers, event.body(), ["old", shop.client_secret], at))

        named = [(notice.topic, *notice.external_ids) for notice in notices]
        assert ("store/customer/updated", "4") in named
        assert ("store/customer/address/updated", "5") in named
        assert ("store/company/updated", f"company:{company_id}") in named
        assert len({notice.event_id for notice in notices}) == len(notices)
