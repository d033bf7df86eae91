"""The Magento connector against a shop on a real socket, with every request held to the contract.

The shop is the sandbox: it verifies signatures itself, keeps books of what was written, and goes
wrong when told to.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento
from services.sandbox.magento.auth import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    ADMIN_PASSWORD,
    ADMIN_USER,
    CONSUMER_KEY,
    CONSUMER_SECRET,
)
from shared.connectors.calls import RemoteCall
from shared.connectors.magento.connect import connect
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.ports import Connector, CustomerSource, Outcome, RemoteRecord, Watermark
from shared.connectors.registry import settings_of
from shared.domain.customer import Version
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
from tests.contract.magento_spec import SPECS, CheckedTransport, Spec

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"Magento's contract is not at {SPECS.name} beside the project"
)

SIGNED = {
    "kind": "oauth1",
    "consumer_key": CONSUMER_KEY,
    "consumer_secret": CONSUMER_SECRET,
    "access_token": ACCESS_TOKEN,
    "access_token_secret": ACCESS_TOKEN_SECRET,
}
ADMIN = {"kind": "admin", "username": ADMIN_USER, "password": ADMIN_PASSWORD}
STORES = {"de": {"store_id": 1, "website_id": 1}, "uk": {"store_id": 4, "website_id": 2}}
NUMBER = "erp_customer_number"
LOYALTY = "loyalty_level"
READ_AT = datetime(2026, 1, 5, tzinfo=UTC)
CUSTOMERS = 60

Connect = Callable[..., Connector]


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of well-behaved customers; the sandbox itself must not have failed."""
    with SandboxMagento(customers=CUSTOMERS, seed=7, awkward=False) as running:
        yield running
        assert not running.control.bugs()


@pytest.fixture(scope="session")
def spec() -> Spec:
    """Give Magento's contract."""
    return Spec()


@pytest.fixture
def transport(spec: Spec) -> Iterator[CheckedTransport]:
    """Give the connections, watched."""
    watched = CheckedTransport(spec)
    yield watched
    watched.close()


@pytest.fixture
def connected(shop: SandboxMagento, transport: CheckedTransport) -> Connect:
    """Give what connects to the shop, with settings changed at will."""

    def build(*fields: str, calls: list[RemoteCall] | None = None, **changes: Any) -> Connector:
        settings = settings_of("magento", {**_connector(shop.url), **changes}, STORES)
        assert isinstance(settings, MagentoSettings)
        observe = (calls if calls is not None else []).append
        return connect(settings, "shop-de", observe, fields, transport=transport)

    return build


@pytest.fixture
def source(connected: Connect) -> CustomerSource:
    """Give the reading side, with small pages."""
    return connected().reading


def _connector(url: str) -> dict[str, Any]:
    timeouts = {"attempts": 1, "total_seconds": 10}
    return {"base_url": url, "auth": SIGNED, "page_size": 7, "timeouts": timeouts}


def export(customer_id: int, number: str = "D10023", **values: str) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if values else "customer_number",
        channel="shop-de",
        external_id=str(customer_id),
        store_view="de",
        customer_id=UUID(int=customer_id),
        customer_number=number,
        values=values,
        version=Version(changed_at=READ_AT, read_at=READ_AT, fingerprint="f"),
    )


def of_store(shop: SandboxMagento, store_id: int) -> set[str]:
    """Return the ids of the customers of a store view, from the shop's own books."""
    return {
        str(number)
        for number in range(1, shop.control.customer_count() + 1)
        if shop.control.customer(number)["store_id"] == store_id
    }


def changed(source: CustomerSource, since: Watermark | None = None) -> list[RemoteRecord]:
    """Return everything that changed in the German store view."""
    return [record for page in source.changes("de", since) for record in page.records]


def mark(record: RemoteRecord) -> Watermark:
    """Return the watermark after a record."""
    return Watermark(record.changed_at, record.scan_key)


def error_of(outcome: Outcome) -> PatronError | None:
    """Return why an export was not carried out."""
    return outcome.error


def values_of(shop: SandboxMagento, customer_id: int) -> dict[str, Any]:
    """Return a customer's custom attributes in the shop."""
    entries = shop.control.customer(customer_id).get("custom_attributes", [])
    return {entry["attribute_code"]: entry["value"] for entry in entries}


class TestReading:
    """The source."""

    def test_everything_is_read_once_in_the_order_of_changes(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """A first run brings each customer of the store view, and of no other."""
        records = changed(source)

        assert {record.external_id for record in records} == of_store(shop, 1)
        keys = [(record.changed_at, record.scan_key) for record in records]
        assert keys == sorted(set(keys))

    def test_the_next_run_brings_what_changed_since(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """And nothing else."""
        last = changed(source)[-1]
        shop.control.edit_profile(int(last.external_id), firstname="Edited")

        records = changed(source, mark(last))

        assert [record.external_id for record in records] == [last.external_id]
        assert records[0].fingerprint != last.fingerprint

    def test_rows_that_move_while_reading_are_not_missed(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """Shoppers edit their accounts between our pages (fault 43)."""
        edited = of_store(shop, 1)
        seen = set()
        for page in source.changes("de", None):
            seen |= {record.external_id for record in page.records}
            if edited:
                shop.control.touch(int(edited.pop()))

        assert seen == of_store(shop, 1)

    def test_a_mass_action_of_one_second_is_read_whole(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """More rows with one time than a page holds, and a watermark in the midst of them."""
        shop.control.freeze_clock()
        for number in of_store(shop, 1):
            shop.control.touch(int(number))
        records = changed(source)
        middle = len(records) // 2

        rest = changed(source, mark(records[middle]))

        assert len(records) > 14
        assert len({record.changed_at for record in records}) == 1
        assert rest == records[middle + 1 :]

    def test_a_sweep_brings_everything_by_id(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """From the start, and from where one was interrupted."""
        pages = list(source.sweep("de", ""))
        records = [record for page in pages for record in page.records]

        rest = [r for page in source.sweep("de", records[9].scan_key) for r in page.records]

        assert {record.external_id for record in records} == of_store(shop, 1)
        assert [page.is_last for page in pages][-1]
        assert rest == records[10:]

    def test_an_address_edit_shows_in_the_fingerprint_only(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """Magento leaves updated_at alone; the sweep finds it all the same."""
        before = changed(source)
        shop.control.edit_address(int(before[0].external_id), city="Elsewhere")

        assert not changed(source, mark(before[-1]))
        swept = [record for page in source.sweep("de", "") for record in page.records]
        old = {record.external_id: record.fingerprint for record in before}
        moved = [r.external_id for r in swept if r.fingerprint != old[r.external_id]]
        assert moved == [before[0].external_id]

    def test_a_failed_login_changes_no_fingerprint(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """updated_at lies in that direction too."""
        last = changed(source)[-1]
        shop.control.advance_clock(60)
        shop.control.fail_login(int(last.external_id))

        [again] = changed(source, mark(last))

        assert again.changed_at > last.changed_at
        assert again.fingerprint == last.fingerprint

    def test_one_is_fetched_as_it_is_found(self, source: CustomerSource) -> None:
        """A search and a fetch give one record."""
        found = changed(source)[0]

        assert source.fetch(found.external_id) == found

    def test_a_deleted_customer_is_gone(self, shop: SandboxMagento, source: CustomerSource) -> None:
        """The shop says that it does not exist."""
        shop.control.delete_customer(3)

        assert source.fetch("3") is None

    def test_customers_are_translated(self, shop: SandboxMagento, source: CustomerSource) -> None:
        """What the shop shows arrives in the canonical model."""
        record = changed(source)[0]
        shown = shop.control.customer(int(record.external_id))

        customer = source.to_customer(record, "de", READ_AT)

        assert customer.email == shown["email"]
        assert customer.last_name == shown["lastname"]
        assert customer.group == {1: "General", 2: "Wholesale", 3: "Retailer"}[shown["group_id"]]
        assert [a.city for a in customer.addresses] == [a["city"] for a in shown["addresses"]]
        assert customer.source.key == ("shop-de", record.external_id)

    def test_awkward_customers_are_translated_or_named(self, transport: CheckedTransport) -> None:
        """Emoji, blanks, missing addresses: each record becomes a customer or says why not."""
        with SandboxMagento(customers=400, seed=11, awkward=True) as awkward:
            settings = MagentoSettings.model_validate(
                {**_connector(awkward.url), "page_size": 100, "store_views": [
                    {"code": "de", **STORES["de"]},
                ]}
            )  # fmt: skip
            reader = connect(settings, "shop-de", transport=transport).reading
            records = changed(reader)
            unreadable = 0
            for record in records:
                try:
                    reader.to_customer(record, "de", READ_AT)
                except UnreadableRecord:
                    unreadable += 1

        assert len(records) > 100
        assert unreadable < len(records) / 10

    @pytest.mark.parametrize("release", ["2.3", "2.4.0", "2.4.9"])
    def test_every_release_is_read(self, transport: CheckedTransport, release: str) -> None:
        """Also those that repeat their last page."""
        with SandboxMagento(customers=40, seed=7, awkward=False, release=release) as old:
            values = {**_connector(old.url), "page_size": 5}
            settings = settings_of("magento", values, STORES)
            assert isinstance(settings, MagentoSettings)
            reader = connect(settings, "shop-de", transport=transport).reading

            swept = {r.external_id for page in reader.sweep("de", "") for r in page.records}

            assert {record.external_id for record in changed(reader)} == of_store(old, 1) == swept


class TestReadingFromAShopInTrouble:
    """Faults on the way: an error of ours, and a cursor that stays."""

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
    def test_a_fault_in_the_midst_ends_the_run_and_the_next_completes_it(
        self, shop: SandboxMagento, source: CustomerSource, kind: str, family: type[PatronError]
    ) -> None:
        """Pages before the fault count, nothing after it; starting there again misses nothing."""
        pages = source.changes("de", None)
        first = next(pages)
        next(pages)
        shop.control.fail_next(kind, path="customers/search")

        with pytest.raises(family) as caught:
            next(pages)

        assert type(caught.value) is family
        rest = changed(source, mark(first.records[-1]))
        seen = {record.external_id for record in [*first.records, *rest]}
        assert seen == of_store(shop, 1)

    def test_the_shop_says_how_long_to_wait(
        self, shop: SandboxMagento, source: CustomerSource
    ) -> None:
        """Retry-After travels with the error."""
        shop.control.fail_next("too_many_requests", retry_after="17")

        with pytest.raises(RemoteThrottled) as caught:
            source.fetch("1")

        assert caught.value.retry_after_seconds == 17

    @pytest.mark.parametrize("kind", ["held", "stalled", "slow"])
    def test_a_call_ends_at_its_deadline(
        self, shop: SandboxMagento, connected: Connect, kind: str
    ) -> None:
        """No answer, or one that comes a few bytes a second (fault 38)."""
        calls: list[RemoteCall] = []
        reader = connected(calls=calls, timeouts={"attempts": 1, "total_seconds": 0.4}).reading

        for _ in range(3):
            shop.control.fail_next(kind, bytes_per_second=20)
            with pytest.raises(RemoteUnavailable):
                reader.fetch("1")

        assert [call.outcome for call in calls] == ["timeout"] * 3
        # The machine may stand still once, but hardly each time.
        assert min(call.seconds for call in calls) == pytest.approx(0.4, abs=0.3)
        shop.control.release()

    def test_a_hiccup_is_overcome_within_the_call(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """A read is tried again; each attempt has a signature of its own."""
        calls: list[RemoteCall] = []
        reader = connected(calls=calls, timeouts={"attempts": 2, "total_seconds": 10}).reading
        shop.control.fail_next("server_error")

        assert reader.fetch("1")

        assert [call.outcome for call in calls][:2] == ["5xx", "2xx"]

    def test_a_token_that_expires_in_the_midst_is_renewed(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """The run goes on as if nothing had been (fault 41)."""
        reader = connected(auth=ADMIN).reading
        pages = reader.changes("de", None)
        first = next(pages)
        shop.control.advance_clock(5 * 3600)

        rest = [record for page in pages for record in page.records]

        seen = {record.external_id for record in [*first.records, *rest]}
        assert seen == of_store(shop, 1)
        assert shop.control.requests("POST", "integration/admin/token") == 2

    @pytest.mark.parametrize(
        "auth",
        [
            {**SIGNED, "consumer_secret": "wrong"},
            {**SIGNED, "access_token": "wrong"},
            {"kind": "bearer", "token": "wrong"},
            {**ADMIN, "password": "wrong"},
        ],
    )
    def test_wrong_credentials_are_a_configuration_error(
        self, connected: Connect, auth: dict[str, str]
    ) -> None:
        """The channel pauses; no password is tried twice."""
        calls: list[RemoteCall] = []

        with pytest.raises(AccessDenied):
            connected(auth=auth, calls=calls).reading.fetch("1")

        assert len(calls) == 1


class TestWriting:
    """The sink."""

    @pytest.mark.parametrize("auth", [SIGNED, ADMIN], ids=["signed", "admin"])
    def test_a_number_is_written_and_nothing_else(
        self, shop: SandboxMagento, connected: Connect, auth: dict[str, str]
    ) -> None:
        """The shop's own books show one changed field (NEW-12)."""
        connector = connected(auth=auth)
        before = shop.control.customer(5)

        [outcome] = connector.sink.write([export(5)])

        assert outcome.error is None
        assert outcome.written
        assert outcome.written.changed
        assert not outcome.written.unforeseen
        assert values_of(shop, 5)[NUMBER] == "D10023"
        [write] = shop.control.writes(5)
        assert write.changed == ("custom_attributes",)
        assert shop.control.customer(5)["addresses"] == before["addresses"]

    def test_the_echo_of_a_write_is_known(self, connected: Connect, source: CustomerSource) -> None:
        """What the import sees afterwards has the fingerprint that the write announced."""
        last = changed(source)[-1]
        [outcome] = connected().sink.write([export(int(last.external_id))])

        [echo] = changed(source, mark(last))

        assert outcome.written
        assert outcome.written.before == last.fingerprint
        assert outcome.written.after == echo.fingerprint

    def test_writing_again_is_a_no_op(self, shop: SandboxMagento, connected: Connect) -> None:
        """The second write reads and stops."""
        sink = connected().sink
        sink.write([export(5)])

        [outcome] = sink.write([export(5)])

        assert outcome.written
        assert not outcome.written.changed
        assert len(shop.control.writes(5)) == 1

    def test_a_lost_answer_leads_to_no_second_write(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """The shop has stored it and cannot say so; the next try finds it there."""
        sink = connected().sink
        shop.control.fail_next("lost", method="PUT")

        [lost] = sink.write([export(5)])
        [found] = sink.write([export(5)])

        assert isinstance(lost.error, RemoteUnavailable)
        assert found.written
        assert not found.written.changed
        assert len(shop.control.writes(5)) == 1

    def test_number_additional_data_and_group_share_one_put(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """Magento stamps a customer once."""
        exports = [export(5), export(5, **{LOYALTY: "platinum", "group_id": "Wholesale"})]

        outcomes = connected(LOYALTY, "group_id").sink.write(exports)

        assert [error_of(outcome) for outcome in outcomes] == [None, None]
        assert shop.control.customer(5)["group_id"] == 2
        assert values_of(shop, 5) == {NUMBER: "D10023", LOYALTY: "platinum"}
        assert shop.control.requests("PUT") == 1

    def test_an_address_edited_meanwhile_survives_and_is_told(
        self, shop: SandboxMagento, connected: Connect, transport: CheckedTransport
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
        assert values_of(shop, 5)[NUMBER] == "D10023"

    def test_a_missing_attribute_is_an_error(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """Magento says 200 and drops it."""
        shop.control.remove_attribute(NUMBER)

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, AttributeMissing)

    def test_a_missing_right_is_an_error(self, shop: SandboxMagento, connected: Connect) -> None:
        """It names the right that is missing."""
        shop.control.revoke_rights("integration", "Magento_Customer::manage")

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, AccessDenied)
        assert "Magento_Customer::manage" in str(outcome.error)

    def test_refused_data_is_an_error(self, shop: SandboxMagento, connected: Connect) -> None:
        """A name that today's shop would not take any more refuses every write."""
        shop.control.set_quirks(validates_names=False)
        shop.control.edit_profile(5, firstname="Ann+Bob")
        shop.control.set_quirks(validates_names=True)

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, RemoteRejected)
        assert "First Name is not valid!" in str(outcome.error)
        assert "Bob" not in str(outcome.error)

    def test_a_deleted_customer_is_gone(self, shop: SandboxMagento, connected: Connect) -> None:
        """The shop says that it does not exist."""
        shop.control.delete_customer(5)

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, RemoteGone)

    def test_a_customer_deleted_meanwhile_is_gone(
        self, shop: SandboxMagento, connected: Connect, transport: CheckedTransport
    ) -> None:
        """The PUT says so as well."""

        def delete(request: httpx2.Request) -> None:
            if request.method == "PUT":
                shop.control.delete_customer(5)

        transport.before = delete

        [outcome] = connected().sink.write([export(5)])

        assert isinstance(outcome.error, RemoteGone)

    @pytest.mark.parametrize(
        "release", ["2.3", "2.4.0", "2.4.1", "2.4.6-p6", "2.4.7", "2.4.8", "2.4.9"]
    )
    @pytest.mark.parametrize("auth", [SIGNED, ADMIN], ids=["signed", "admin"])
    def test_every_release_keeps_what_is_not_ours(
        self, transport: CheckedTransport, release: str, auth: dict[str, str]
    ) -> None:
        """Whether or not a release merges what is sent with what is stored (NEW-12)."""
        with SandboxMagento(customers=5, seed=7, awkward=False, release=release) as old:
            settings = settings_of("magento", {**_connector(old.url), "auth": auth}, STORES)
            assert isinstance(settings, MagentoSettings)
            before = old.control.customer(2)

            [outcome] = connect(settings, "x", transport=transport).sink.write([export(2)])

            after = old.control.customer(2)
        assert outcome.error is None
        for record in (before, after):
            record.pop("updated_at")
            record.pop("custom_attributes", None)
        assert after == before


class TestChecking:
    """What is verified at start."""

    def test_a_shop_in_order_has_no_problems(self, connected: Connect) -> None:
        """Rights, store views and attributes are as they should be."""
        findings = connected(LOYALTY, "group_id").sink.check()

        assert {finding.problem for finding in findings} == {None}
        assert f"attribute {LOYALTY}" in {finding.subject for finding in findings}

    def test_what_is_wrong_is_named_with_advice(
        self, shop: SandboxMagento, connected: Connect
    ) -> None:
        """A missing attribute, a field of the shop's own, and a missing right."""
        shop.control.remove_attribute(NUMBER)
        shop.control.revoke_rights("integration", "Magento_Customer::group")

        findings = connected("taxvat").sink.check()

        problems = {f.subject: f for f in findings if f.problem}
        assert set(problems) == {"read groups", f"attribute {NUMBER}", "attribute taxvat"}
        assert all(finding.advice for finding in problems.values())

    def test_a_store_view_of_another_website_is_a_problem(
        self, connected: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A wrong id would read somebody else's customers."""
        monkeypatch.setitem(STORES, "uk", {"store_id": 4, "website_id": 1})

        findings = connected().sink.check()

        assert [f.subject for f in findings if f.problem] == ["store view uk"]
