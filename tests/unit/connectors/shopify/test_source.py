"""Reading Shopify: marks that are never ahead of what was seen, and whole records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest

from shared.connectors.ports import Page, Watermark
from shared.connectors.shopify.approval import Approval, Protected
from shared.connectors.shopify.bulk import BulkExport
from shared.connectors.shopify.reading import Found
from shared.connectors.shopify.record import record_of
from shared.connectors.shopify.scan import ChangeScan
from shared.connectors.shopify.source import ShopifySource
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    UnreadableAnswer,
)
from tests.unit.connectors.shopify.builders import (
    COMPANY,
    GID,
    NOW,
    Answer,
    Script,
    Shop,
    address,
    answer,
    company,
    connected,
    contact,
    customer,
    error,
    found,
    location,
    metafield,
    ok,
    page,
    reading,
    settings,
    whole,
)

SINCE = Watermark(datetime(2026, 11, 20, 7, 55, 0, 500_000, tzinfo=UTC))
CERTAIN = NOW - timedelta(minutes=5)
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    """Return a moment some seconds after eight o'clock, as Shopify writes it."""
    return (AT + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ids(pages: list[Page]) -> list[str]:
    """Return the ids of the records of pages."""
    return [record.external_id for each in pages for record in each.records]


class TestChanges:
    """What changed."""

    def test_changes_are_searched_by_whole_quoted_seconds(self) -> None:
        """An unquoted moment would lose its time."""
        script = Script(found(customer()))

        pages = list(connected(script).reading.changes("shop", SINCE))

        assert script.asked == ["CustomersChanged"]
        assert script.variables()["query"] == "updated_at:>='2026-11-20T07:55:00Z'"
        assert "sortKey: UPDATED_AT" in script.text()
        assert ids(pages) == ["7420011223344"]

    def test_the_last_mark_is_before_the_scan_began(self) -> None:
        """The search lags behind: what changed in the last minutes is read again next time."""
        [last] = connected(Script(found())).reading.changes("shop", SINCE)

        assert last.is_last
        assert last.mark == Watermark(CERTAIN)

    def test_a_page_marks_how_far_the_scan_has_come(self) -> None:
        """Rows that changed just now stand anywhere, and say nothing."""
        just_now = NOW - timedelta(seconds=10)
        script = Script(
            found(
                customer(1, updatedAt=at(1)),
                customer(2, updatedAt=just_now.isoformat()),
                cursor="a",
            ),
            found(customer(3, updatedAt=just_now.isoformat()), cursor="b"),
            found(customer(4, updatedAt=at(9))),
        )

        pages = list(connected(script).reading.changes("shop", SINCE))

        assert [page.mark and page.mark.changed_at for page in pages] == [
            AT + timedelta(seconds=1),
            AT + timedelta(seconds=1),
            CERTAIN,
        ]
        assert [page.is_last for page in pages] == [False, False, True]
        assert [script.variables(n)["after"] for n in range(3)] == [None, "a", "b"]

    def test_a_filter_that_is_ignored_is_noticed(self) -> None:
        """Everybody would come, and be taken for changed."""
        old = customer(updatedAt="2020-01-01T00:00:00Z")

        with pytest.raises(UnreadableAnswer):
            list(connected(Script(found(old))).reading.changes("shop", SINCE))

    def test_rows_of_the_same_day_are_left_out(self) -> None:
        """Shopify says that its search matches whole days."""
        script = Script(found(customer(1, updatedAt="2026-11-20T01:00:00Z"), customer(2)))

        assert ids(list(connected(script).reading.changes("shop", SINCE))) == ["2"]

    @pytest.mark.parametrize(
        "second",
        [
            found(customer(1), cursor="b"),
            found(customer(2), cursor="a"),
            answer({"found": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}}),
            answer({"found": {"nodes": [customer(2)]}}),
            answer({"found": None}),
            answer({"found": page(customer(2, updatedAt=None))}),
        ],
    )
    def test_a_page_that_cannot_be_trusted_ends_the_scan(self, second: Answer) -> None:
        """It repeats, leads nowhere, or is none (NEW-14)."""
        pages = connected(Script(found(customer(1), cursor="a"), second)).reading.changes(
            "shop", SINCE
        )
        next(pages)

        with pytest.raises(UnreadableAnswer):
            next(pages)

    def test_a_long_scan_begins_anew_where_it_has_come_to(self) -> None:
        """Paging ends at 25,000 rows."""
        asked: list[str | None] = []

        def search(query: str | None, cursor: str | None, sort_key: str) -> Any:
            asked.append(query)
            rows = [customer(n, updatedAt=at(n)) for n in range(1, 8)]
            return _search(rows, query, cursor, sort_key, 2)

        scan = ChangeScan(search, AT, now=lambda: NOW, longest_chain=4)
        steps = list(scan.steps())

        seen = [item["id"].rpartition("/")[2] for step in steps for item in step.items]
        assert sorted(set(seen)) == [str(n) for n in range(1, 8)]
        assert f"updated_at:>='{at(4)}'" in asked
        assert steps[-1].mark == Watermark(CERTAIN)

    def test_more_rows_of_one_second_than_paging_reaches_are_read_by_id(self) -> None:
        """After a mass action."""

        def search(query: str | None, cursor: str | None, sort_key: str) -> Any:
            rows = [customer(n, updatedAt=at(5)) for n in range(1, 10)]
            rows.append(customer(10, updatedAt=at(6)))
            return _search(rows, query, cursor, sort_key, 2)

        scan = ChangeScan(search, AT + timedelta(seconds=5), now=lambda: NOW, longest_chain=4)
        steps = list(scan.steps())

        seen = {item["id"].rpartition("/")[2] for step in steps for item in step.items}
        assert seen == {str(n) for n in range(1, 11)}
        assert steps[-1].is_last

    def test_more_rows_of_just_now_than_paging_reaches_wait_for_the_next_scan(self) -> None:
        """Nothing says where they stand; so no mark is given."""

        def search(query: str | None, cursor: str | None, sort_key: str) -> Any:
            rows = [customer(n, updatedAt=NOW.isoformat()) for n in range(1, 10)]
            return _search(rows, None, cursor, sort_key, 2)

        steps = list(ChangeScan(search, AT, now=lambda: NOW, longest_chain=4).steps())

        assert steps[-1].is_last
        assert [step.mark for step in steps] == [None] * len(steps)

    def test_a_first_run_of_a_small_shop_is_read_by_pages(self) -> None:
        """Without a filter, each page with its mark."""
        count = answer({"customersCount": {"count": 2}})
        script = Script(count, found(customer(1), cursor="a"), found(customer(2)))

        pages = list(connected(script).reading.changes("shop", None))

        assert ids(pages) == ["1", "2"]
        assert script.variables()["query"] is None
        assert all(page.mark for page in pages)


def _search(
    rows: list[dict[str, Any]], query: str | None, cursor: str | None, sort_key: str, size: int
) -> Any:
    """Search rows as Shopify does."""

    def fits(row: dict[str, Any]) -> bool:
        for term in (query or "").split():
            if term.startswith("updated_at:>='") and row["updatedAt"] < term[14:-1]:
                return False
            if term.startswith("updated_at:<='") and row["updatedAt"] > term[14:-1]:
                return False
            number = int(row["id"].rpartition("/")[2])
            if term.startswith("id:>") and number <= int(term[4:]):
                return False
        return True

    def order(row: dict[str, Any]) -> tuple[str, int]:
        number = int(row["id"].rpartition("/")[2])
        return ("" if sort_key == "ID" else row["updatedAt"], number)

    hits = sorted(filter(fits, rows), key=order)
    start = int(cursor or 0)
    end = start + size
    return Found(hits[start:end], str(end) if end < len(hits) else None, NOW)


class TestBulk:
    """The first run of a large shop."""

    LINES = (
        {k: v for k, v in customer(1).items() if k != "addressesV2"},
        {**address(91), "__parentId": "gid://shopify/Customer/1"},
        {**address(92, company=None), "__parentId": "gid://shopify/Customer/1"},
        {k: v for k, v in customer(2).items() if k != "addressesV2"},
    )

    def shop(
        self, file: bytes, *, states: tuple[str, ...] = ("RUNNING", "COMPLETED"), refusal: str = ""
    ) -> tuple[Shop, Callable[[httpx2.Request], httpx2.Response]]:
        """Return a shop of many customers, with this file."""
        url = "https://files.example/1.jsonl?signature=secret"
        told = list(states)

        def status(_: dict[str, Any]) -> Answer:
            state = told.pop(0) if len(told) > 1 else told[0]
            done = {"url": url, "fileSize": str(len(file))} if state == "COMPLETED" else {}
            return answer({"bulkOperation": {"id": "b", "status": state, "url": None, **done}})

        def export(_: dict[str, Any]) -> Answer:
            errors = [{"field": None, "message": "in progress", "code": refusal}] if refusal else []
            return answer(
                {"bulkOperationRunQuery": {"bulkOperation": {"id": "b"}, "userErrors": errors}}
            )

        shop = Shop(
            CustomersCount=lambda _: answer({"customersCount": {"count": 5001}}),
            BulkExport=export,
            BulkStatus=status,
            CustomersChanged=lambda _: found(customer(3)),
            CustomersLatest=lambda _: found(customer()),
        )

        def respond(request: httpx2.Request) -> httpx2.Response:
            if request.url.host == "files.example":
                return _slice_of(file, request)
            return shop(request)

        return shop, respond

    def test_everybody_is_read_from_one_file(self) -> None:
        """In slices; each customer with its addresses; marked when it is whole."""
        shop, respond = self.shop(b"\n".join(map(orjson.dumps, self.LINES)) + b"\n")

        pages = list(_unhurried(respond, slice_bytes=100).changes("shop", None))

        assert ids(pages) == ["1", "2"]
        first = next(record for each in pages for record in each.records)
        assert len(first.payload["addressesV2"]) == 2
        assert first.fingerprint == record_of(whole(customer(1))).fingerprint
        assert [page.mark is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        assert shop.count("BulkExport") == 1

    def test_no_customers_are_no_file(self) -> None:
        """The operation is over without an address."""
        shop, respond = self.shop(b"")
        shop.operations["BulkStatus"] = lambda _: answer(
            {"bulkOperation": {"id": "b", "status": "COMPLETED", "url": None}}
        )

        pages = list(_unhurried(respond).changes("shop", None))

        assert ids(pages) == []
        assert pages[-1].mark

    @pytest.mark.parametrize("state", ["FAILED", "EXPIRED", "CANCELED"])
    def test_an_operation_that_fails_gives_way_to_pages(self, state: str) -> None:
        """Slower, and sure."""
        shop, respond = self.shop(b"", states=(state,))

        pages = list(_unhurried(respond).changes("shop", None))

        assert ids(pages) == ["3"]
        assert shop.count("CustomersChanged") == 1

    def test_an_operation_that_is_refused_gives_way_to_pages(self) -> None:
        """Others are running."""
        _, respond = self.shop(b"", refusal="LIMIT_REACHED")

        assert ids(list(_unhurried(respond).changes("shop", None))) == ["3"]

    @pytest.mark.parametrize(
        "lines",
        [
            (LINES[0], LINES[3], LINES[1]),
            (LINES[1],),
            ({"id": "gid://shopify/Order/1"},),
            (LINES[0], {"id": "gid://shopify/Order/1", "__parentId": LINES[0]["id"]}),
        ],
    )
    def test_a_file_out_of_order_gives_way_to_pages(self, lines: tuple[dict[str, Any]]) -> None:
        """An address would land with somebody else."""
        _, respond = self.shop(b"\n".join(map(orjson.dumps, lines)) + b"\n")

        pages = list(_unhurried(respond).changes("shop", None))

        assert ids(pages)[-1] == "3"
        assert pages[-1].mark

    def test_an_interrupted_run_takes_up_the_operation_that_it_began(self) -> None:
        """And does not have the shop write the file again."""
        shop, respond = self.shop(b"\n".join(map(orjson.dumps, self.LINES)) + b"\n")
        source = _unhurried(respond)
        first = source.changes("shop", None)
        next(first)
        first.close()

        pages = list(source.changes("shop", None))

        assert ids(pages) == ["1", "2"]
        assert shop.count("BulkExport") == 1


def _unhurried(respond: Callable[[httpx2.Request], httpx2.Response], **bulk: Any) -> Any:
    """Return a source that does not wait while the shop is writing."""
    read = reading(respond)
    export = BulkExport(read.client, sleep=lambda _seconds: None, **bulk)
    return ShopifySource("nordwind", settings(), read, export)


def _slice_of(file: bytes, request: httpx2.Request) -> httpx2.Response:
    assert "X-Shopify-Access-Token" not in request.headers
    start, _, end = request.headers["Range"].removeprefix("bytes=").partition("-")
    part = file[int(start) : int(end) + 1]
    headers = {"Content-Range": f"bytes {start}-{end}/{len(file)}"}
    return httpx2.Response(206, content=part, headers=headers)


class TestSweeping:
    """Everybody, by id."""

    def test_a_sweep_goes_by_ids(self) -> None:
        """Always the first page behind the last id."""
        script = Script(found(customer(8), customer(9), cursor="a"), found(customer(12)))

        pages = list(connected(script).reading.sweep("shop", "00000000000000000007"))

        assert ids(pages) == ["8", "9", "12"]
        assert [page.is_last for page in pages] == [False, True]
        assert [script.variables(n)["query"] for n in range(2)] == ["id:>7", "id:>9"]
        assert {script.variables(n)["after"] for n in range(2)} == {None}

    def test_scan_keys_stand_in_the_order_of_ids(self) -> None:
        """Compared as text."""
        keys = [record_of(whole(customer(n))).scan_key for n in (9, 10, 99, 7420011223344)]

        assert keys == sorted(keys)

    @pytest.mark.parametrize("again", [7, 9])
    def test_a_page_that_goes_back_is_an_error(self, again: int) -> None:
        """Who is not shown would be looked up one by one."""
        script = Script(found(customer(8), customer(9), cursor="a"), found(customer(again)))

        with pytest.raises(UnreadableAnswer):
            list(connected(script).reading.sweep("shop", ""))

    def test_a_query_that_costs_too_much_is_asked_for_less(self) -> None:
        """And not for more again later."""
        script = Script(
            answer(None, error("MAX_COST_EXCEEDED")),
            answer(None, error("MAX_COST_EXCEEDED")),
            found(customer(1), cursor="a"),
            found(customer(2)),
        )

        pages = list(connected(script).reading.sweep("shop", ""))

        assert ids(pages) == ["1", "2"]
        assert [script.variables(n)["first"] for n in range(4)] == [100, 50, 25, 25]

    def test_a_record_that_costs_too_much_by_itself_is_told(self) -> None:
        """It is a matter of the configuration."""
        script = Script(answer(None, error("MAX_COST_EXCEEDED")))

        with pytest.raises(ConfigurationError, match="fewer metafields"):
            list(connected(script, page_size=1).reading.sweep("shop", ""))


class TestWholeRecords:
    """Lists within records."""

    def test_more_addresses_than_come_along_are_fetched(self) -> None:
        """A customer may have any number (MYOB-2)."""
        script = Script(
            answer({"nodes": [customer(addressesV2=page(address(1), cursor="a"))]}),
            answer({"node": {"found": page(address(2), cursor="b")}}),
            answer({"node": {"found": page(address(3))}}),
        )

        record = connected(script).reading.fetch("7420011223344")

        assert record
        assert [a["id"].split("/")[4].split("?")[0] for a in record.payload["addressesV2"]] == [
            "1",
            "2",
            "3",
        ]
        assert script.variables()["after"] == "b"

    @pytest.mark.parametrize(
        "rest", [{"node": None}, {"node": {"found": page(address(2), cursor="a")}}]
    )
    def test_a_list_that_cannot_be_read_to_its_end_is_an_error(self, rest: dict[str, Any]) -> None:
        """Half an address book would look like deleted addresses."""
        script = Script(
            answer({"nodes": [customer(addressesV2=page(address(1), cursor="a"))]}), answer(rest)
        )

        with pytest.raises(UnreadableAnswer):
            connected(script).reading.fetch("7420011223344")

    def test_more_locations_and_contacts_are_fetched(self) -> None:
        """A company may have ten thousand."""
        script = Script(
            answer(
                {
                    "nodes": [
                        company(
                            locations=page(location(1), cursor="a"),
                            contacts=page(contact(1), cursor="b"),
                        )
                    ]
                }
            ),
            answer({"node": {"found": page(location(2))}}),
            answer({"node": {"found": page(contact(2))}}),
            found(customer()),
        )

        record = connected(script).reading.fetch("company:98765001")

        assert record
        assert script.asked[:3] == ["CompaniesOfIds", "CompanyLocations", "CompanyContacts"]
        assert len(record.payload["locations"]) == 2
        assert len(record.payload["contacts"]) == 2

    @pytest.mark.parametrize("external_id", ["", "x", "0", "-1", "company:", "1 2", "٣", "a/b"])
    def test_an_id_that_is_none_of_shopifys_is_nobody(self, external_id: str) -> None:
        """Without asking."""
        assert connected(Script()).reading.fetch(external_id) is None

    def test_who_does_not_exist_is_nobody(self) -> None:
        """The shop says null."""
        assert connected(Script(answer({"nodes": [None]}))).reading.fetch("5") is None

    @pytest.mark.parametrize("nodes", [None, [], [customer(6)]])
    def test_somebody_else_is_not_taken(self, nodes: Any) -> None:
        """An answer to another question is none."""
        with pytest.raises(UnreadableAnswer):
            connected(Script(answer({"nodes": nodes}))).reading.fetch("5")

    def test_a_record_knows_its_store_view(self) -> None:
        """Customers and companies are apart (MYOB-5)."""
        source = connected(Script()).reading

        assert source.store_view_of(record_of(whole(customer()))) == "shop"
        assert source.store_view_of(record_of(whole(company()))) == "b2b"

    def test_an_unknown_store_view_is_a_configuration_error(self) -> None:
        """It is not taken for another one (XPR-2)."""
        with pytest.raises(ConfigurationError):
            list(connected(Script()).reading.sweep("other", ""))


class TestFingerprints:
    """Equal content, equal fingerprint."""

    def test_what_moves_by_itself_is_left_out(self) -> None:
        """Times, digests and the order of lists."""
        before = whole(customer(number=metafield("erp.customer_number", "1")))
        after = {
            **before,
            "updatedAt": "2026-11-21T08:03:17Z",
            "tags": ["b2b", "erp"],
            "addressesV2": before["addressesV2"][::-1],
            "number": {**before["number"], "compareDigest": "another"},
        }

        assert record_of(before).fingerprint == record_of(after).fingerprint

    @pytest.mark.parametrize(
        "changes",
        [
            {"firstName": "Anja"},
            {"tags": ["erp"]},
            {"defaultAddress": {"id": address(92)["id"]}},
            {"number": metafield("erp.customer_number", "2")},
            {"note": None},
        ],
    )
    def test_what_shoppers_change_is_in_it(self, changes: dict[str, Any]) -> None:
        """Each field."""
        before = whole(customer())

        assert record_of(before).fingerprint != record_of({**before, **changes}).fingerprint

    def test_a_company_is_as_new_as_its_newest_part(self) -> None:
        """So that a changed location is not superseded."""
        record = record_of(whole(company()))

        assert record.changed_at == datetime(2026, 11, 20, 8, 5, tzinfo=UTC)


class TestApproval:
    """Personal data that the app may not read."""

    def test_what_is_denied_is_not_asked_for_any_more(self) -> None:
        """The rest is read all the same."""
        path: list[str | int] = ["found", "nodes", 0, "firstName"]
        script = Script(
            answer({"found": page(customer())}, error("ACCESS_DENIED", path=path)),
            found({k: v for k, v in customer().items() if k not in {"firstName", "lastName"}}),
        )

        pages = list(connected(script).reading.sweep("shop", ""))

        assert "firstName" in script.text(0)
        assert "firstName" not in script.text(1)
        assert "firstName" not in pages[0].records[0].payload

    def test_what_else_is_denied_is_an_error(self) -> None:
        """A scope is missing."""
        script = Script(answer(None, error("ACCESS_DENIED", path=["found"])))

        with pytest.raises(AccessDenied):
            list(connected(script).reading.sweep("shop", ""))

    def test_null_without_a_word_says_nothing_until_somebody_shows_such_data(self) -> None:
        """Then it was cleared."""
        nobody = customer(1, defaultPhoneNumber=None)
        script = Script(found(nobody), found(nobody), found(nobody, customer(2)))
        source = connected(script).reading

        before = next(source.sweep("shop", "")).records[0].payload
        after = next(source.sweep("shop", "")).records[0].payload

        assert "defaultPhoneNumber" not in before
        assert script.asked == ["CustomersById", "CustomersLatest", "CustomersById"]
        assert after["defaultPhoneNumber"] is None
        assert record_of(dict(before)).fingerprint == record_of(dict(after)).fingerprint

    def test_a_customer_of_nothing_is_one_that_may_not_be_read(self) -> None:
        """Shopify keeps none without name, e-mail address and telephone."""
        approval = Approval()
        approval.learn([whole(customer())])
        empty: dict[str, Any] = {
            "firstName": None,
            "lastName": None,
            "defaultEmailAddress": None,
            "defaultPhoneNumber": None,
            "addressesV2": [],
            "defaultAddress": None,
            "note": None,
        }

        assert approval.spoken(empty) == {"note": None}

    def test_what_was_denied_is_asked_for_again_after_a_while(self) -> None:
        """It may have been approved."""
        now = 0.0
        approval = Approval(clock=lambda: now)
        news = approval.deny(frozenset({Protected.NAMES}))
        again = approval.deny(frozenset({Protected.NAMES}))
        denied = approval.denied
        now = 4000.0

        assert (news, again) == (True, False)
        assert denied == {Protected.NAMES}
        assert approval.denied == frozenset()


class TestCompanyChanges:
    """Companies whose own record, location or contact changed."""

    def shop(self, **changed: Answer) -> Shop:
        """Return a shop in which these lists hold something."""
        lists = ("CompaniesChanged", "CompanyLocationsChanged", "ContactsChanged")

        def answering(name: str) -> Callable[[dict[str, Any]], Answer]:
            return lambda _: changed.get(name, found())

        return Shop(
            **{name: answering(name) for name in lists},
            CompaniesOfIds=lambda v: answer({"nodes": [{**company(), "id": i} for i in v["ids"]]}),
            CustomersLatest=lambda _: found(customer()),
        )

    @pytest.mark.parametrize(
        ("name", "row"),
        [
            ("CompaniesChanged", {"id": COMPANY, "updatedAt": at(1)}),
            (
                "CompanyLocationsChanged",
                {
                    "id": "gid://shopify/CompanyLocation/55",
                    "updatedAt": at(1),
                    "company": {"id": COMPANY},
                },
            ),
            (
                "ContactsChanged",
                {
                    "id": GID,
                    "updatedAt": at(1),
                    "companyContactProfiles": [{"company": {"id": COMPANY}}],
                },
            ),
        ],
    )
    def test_each_leads_to_the_company(self, name: str, row: dict[str, Any]) -> None:
        """Which is read whole."""
        pages = list(connected(self.shop(**{name: found(row)})).reading.changes("b2b", SINCE))

        assert ids(pages) == ["company:98765001"]
        assert pages[-1].is_last

    def test_a_company_is_read_once(self) -> None:
        """However many of its parts changed."""
        row = {"id": COMPANY, "updatedAt": at(1)}
        part = {
            "id": "gid://shopify/CompanyLocation/55",
            "updatedAt": at(1),
            "company": {"id": COMPANY},
        }
        shop = self.shop(CompaniesChanged=found(row), CompanyLocationsChanged=found(part))

        pages = list(connected(shop).reading.changes("b2b", SINCE))

        assert ids(pages) == ["company:98765001"]
        assert shop.count("CompaniesOfIds") == 1

    def test_only_the_last_page_has_a_mark(self) -> None:
        """They are in no order; a scan that breaks off begins again."""
        shop = self.shop(CompaniesChanged=found({"id": COMPANY, "updatedAt": at(1)}))

        pages = list(connected(shop).reading.changes("b2b", SINCE))

        assert [page.mark is None for page in pages] == [True] * (len(pages) - 1) + [False]

    def test_at_first_all_companies_are_read(self) -> None:
        """By id."""
        script = Script(
            found(company(), cursor="a"),
            found(customer()),
            found({**company(), "id": "gid://shopify/Company/98765002"}),
        )

        pages = list(connected(script).reading.changes("b2b", None))

        assert ids(pages) == ["company:98765001", "company:98765002"]
        assert pages[-1].mark


def test_what_can_be_configured_is_discovered() -> None:
    """The two entities, and the metafields that are defined."""
    definition = {
        "namespace": "erp",
        "key": "customer_number",
        "name": "ERP number",
        "type": {"name": "id"},
    }
    script = Script(found(definition), found())

    discovered = connected(script).reading.discover()

    assert [(each.family, each.name) for each in discovered] == [
        ("store_view", "customers"),
        ("store_view", "companies"),
        ("metafield", "erp.customer_number"),
    ]
    assert discovered[-1].detail == "ERP number (id, customer)"


@pytest.mark.parametrize("item", [{}, {"id": 5}, {"id": GID}, {"id": "gid://shopify/Order/5"}])
def test_a_record_without_id_or_times_is_unreadable(item: dict[str, Any]) -> None:
    """Nobody knows whose it is."""
    with pytest.raises(PatronError):
        record_of(item)


def test_answers_of_another_shape_are_unreadable() -> None:
    """And tried again later."""
    with pytest.raises(UnreadableAnswer):
        list(connected(Script(ok({"data": {"found": {"nodes": [1]}}}))).reading.sweep("shop", ""))
