"""Writing to Shopify: read, compare, send only differences, verify."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from shared.connectors.ports import Outcome, Written
from shared.connectors.shopify.record import record_of
from shared.domain.errors import (
    AttributeMissing,
    ConfigurationError,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)
from tests.unit.connectors.shopify.builders import (
    COMPANY,
    Answer,
    Shop,
    answer,
    company,
    connected,
    customer,
    error,
    export,
    found,
    location,
    metafield,
    page,
    whole,
)

NUMBER = "erp.customer_number"
Refuse = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


class Store(Shop):
    """A shop that keeps what it is told, all of a call or nothing."""

    def __init__(self, *customers: dict[str, Any], refuse: Refuse = lambda _: []) -> None:
        super().__init__(
            CustomersOfIds=lambda v: answer({"nodes": [self.items.get(i) for i in v["ids"]]}),
            CompaniesOfIds=lambda v: answer({"nodes": [self.items.get(i) for i in v["ids"]]}),
            CustomersLatest=lambda _: found(customer()),
            MetafieldsSet=self.set_metafields,
            TagsAdd=self.add_tags,
            CompanyUpdate=self.number_company,
            CompanyLocationUpdate=self.number_location,
        )
        self.items = {item["id"]: item for item in customers}
        self.refuse = refuse

    def set_metafields(self, variables: dict[str, Any]) -> Answer:
        """Set metafields, unless one is refused."""
        inputs = variables["metafields"]
        refused = self.refuse(inputs)
        if refused:
            return answer({"metafieldsSet": {"metafields": [], "userErrors": refused}})
        stored = []
        for each in inputs:
            name = f"{each['namespace']}.{each['key']}"
            stored.append(metafield(name, each["value"]))
            alias = "number" if name == NUMBER else "m0"
            self.items[each["ownerId"]] = {**self.items[each["ownerId"]], alias: stored[-1]}
        return answer({"metafieldsSet": {"metafields": stored, "userErrors": []}})

    def add_tags(self, variables: dict[str, Any]) -> Answer:
        """Add tags."""
        item = self.items[variables["id"]]
        tags = sorted([*item["tags"], *variables["tags"]])
        self.items[item["id"]] = {**item, "tags": tags}
        node = {"id": item["id"], "tags": tags}
        return answer({"tagsAdd": {"node": node, "userErrors": []}})

    def number_company(self, variables: dict[str, Any]) -> Answer:
        """Give a company its number."""
        stored = {"id": variables["companyId"], **variables["input"]}
        return answer({"companyUpdate": {"company": stored, "userErrors": []}})

    def number_location(self, variables: dict[str, Any]) -> Answer:
        """Give a location its number."""
        stored = {"id": variables["companyLocationId"], **variables["input"]}
        payload = {"companyLocation": stored, "userErrors": []}
        return answer({"companyLocationUpdate": payload})


def refusal(position: int, code: str, last: str = "value") -> dict[str, Any]:
    """Return why a metafield is refused."""
    return {"field": ["metafields", str(position), last], "message": "Refused", "code": code}


def refusing(value: str, code: str, last: str = "value") -> Refuse:
    """Return what refuses one value."""
    return lambda inputs: [
        refusal(n, code, last) for n, each in enumerate(inputs) if each["value"] == value
    ]


def errors(outcomes: list[Outcome]) -> list[str | None]:
    """Return the family of each outcome's error."""
    return [type(each.error).__name__ if each.error else None for each in outcomes]


def written(outcome: Outcome) -> Written:
    """Return what was written."""
    assert outcome.error is None, outcome.error
    assert outcome.written
    return outcome.written


class TestCustomerNumbers:
    """The number in its metafield."""

    def test_numbers_of_several_customers_go_in_one_call(self) -> None:
        """Each where nothing was: compared with null."""
        store = Store(customer(1), customer(2), customer(3))
        exports = [export(str(n), customer_number=f"D-{n}") for n in (1, 2, 3)]

        outcomes = list(connected(store).sink.write(exports))

        assert [written(each).changed for each in outcomes] == [True] * 3
        assert store.count("MetafieldsSet") == 1
        assert store.asked[-1][1]["metafields"][0] == {
            "ownerId": "gid://shopify/Customer/1",
            "namespace": "erp",
            "key": "customer_number",
            "value": "D-1",
            "compareDigest": None,
        }

    def test_a_number_that_is_there_is_not_written_again(self) -> None:
        """Doing it again is harmless."""
        store = Store(customer(1, number=metafield(NUMBER, "D-10021")))

        [outcome] = connected(store).sink.write([export("1")])

        assert not written(outcome).changed
        assert written(outcome).before == written(outcome).after
        assert store.count("MetafieldsSet") == 0

    def test_a_number_that_differs_is_replaced_as_it_was_read(self) -> None:
        """By the digest of what stood there."""
        store = Store(customer(1, number=metafield(NUMBER, "old")))

        connected(store).sink.write([export("1")])

        assert store.asked[-1][1]["metafields"][0]["compareDigest"] == "digest of old"

    def test_the_echo_of_a_write_is_known(self) -> None:
        """What is read afterwards has the fingerprint that the write announced (C365-20)."""
        store = Store(customer(1))
        before = record_of(whole(store.items["gid://shopify/Customer/1"])).fingerprint

        [outcome] = connected(store).sink.write([export("1")])

        after = record_of(whole(store.items["gid://shopify/Customer/1"])).fingerprint
        assert (written(outcome).before, written(outcome).after) == (before, after)
        assert before != after

    def test_what_shoppers_change_meanwhile_is_still_news(self) -> None:
        """The announced fingerprint is of what was read, and of our change alone (NEW-12)."""
        store = Store(customer(1))

        def edited(variables: dict[str, Any]) -> Answer:
            gid = "gid://shopify/Customer/1"
            store.items[gid] = {**store.items[gid], "firstName": "Anja"}
            return store.set_metafields(variables)

        store.operations["MetafieldsSet"] = edited

        [outcome] = connected(store).sink.write([export("1")])

        after = record_of(whole(store.items["gid://shopify/Customer/1"])).fingerprint
        assert written(outcome).after != after

    @pytest.mark.parametrize("code", ["TAKEN", "CAPABILITY_VIOLATION", "INVALID_VALUE"])
    def test_a_number_that_is_taken_costs_the_others_nothing(self, code: str) -> None:
        """Shopify stores none of them then; the others go again, each by itself (NEW-12)."""
        store = Store(customer(1), customer(2), customer(3), refuse=refusing("D-2", code))
        exports = [export(str(n), customer_number=f"D-{n}") for n in (1, 2, 3)]

        outcomes = list(connected(store).sink.write(exports))

        assert errors(outcomes) == [None, "RemoteRejected", None]
        assert store.count("MetafieldsSet") == 3

    def test_a_refusal_that_names_no_customer_finds_its_own(self) -> None:
        """All go by themselves."""

        def refuse(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            is_at_fault = any(each["value"] == "D-2" for each in inputs)
            return [{"field": None, "message": "Taken", "code": "TAKEN"}] if is_at_fault else []

        store = Store(customer(1), customer(2), refuse=refuse)
        exports = [export(str(n), customer_number=f"D-{n}") for n in (1, 2)]

        assert errors(list(connected(store).sink.write(exports))) == [None, "RemoteRejected"]

    def test_what_somebody_else_wrote_is_read_before_it_is_replaced(self) -> None:
        """The digest does not hold any more."""
        store = Store(customer(1), customer(2))

        def stale(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            gid = "gid://shopify/Customer/2"
            if store.count("MetafieldsSet") == 1:
                store.items[gid] = {**store.items[gid], "number": metafield(NUMBER, "theirs")}
            return [
                refusal(n, "STALE_OBJECT")
                for n, each in enumerate(inputs)
                if each["ownerId"] == gid and each["compareDigest"] is None
            ]

        store.refuse = stale

        outcomes = list(connected(store).sink.write([export("1"), export("2")]))

        assert errors(outcomes) == [None, None]
        assert store.items["gid://shopify/Customer/2"]["number"]["value"] == "D-10021"

    @pytest.mark.parametrize(
        ("code", "last", "family"),
        [
            ("BLANK", "type", AttributeMissing),
            ("INVALID", "ownerId", RemoteGone),
            ("APP_NOT_AUTHORIZED", "namespace", ConfigurationError),
            ("INTERNAL_ERROR", "value", RemoteUnavailable),
            ("TOO_LONG", "value", RemoteRejected),
        ],
    )
    def test_each_refusal_has_its_meaning(
        self, code: str, last: str, family: type[PatronError]
    ) -> None:
        """A metafield without a definition, an owner that is gone, a right that is missing."""
        store = Store(customer(1), refuse=refusing("D-10021", code, last))

        [outcome] = connected(store).sink.write([export("1")])

        assert isinstance(outcome.error, family)

    def test_who_is_gone_is_told(self) -> None:
        """Deleted, merged into another, or never there; the others are written."""
        store = Store(customer(2))

        outcomes = list(connected(store).sink.write([export("1"), export("2"), export("x")]))

        assert errors(outcomes) == ["RemoteGone", None, "RemoteGone"]

    @pytest.mark.parametrize(
        ("given", "family"),
        [
            (answer(None, error("THROTTLED")), RemoteThrottled),
            (httpx2.Response(503), RemoteUnavailable),
            (answer({"metafieldsSet": None}), UnreadableAnswer),
        ],
    )
    def test_a_call_that_fails_is_the_failure_of_all_in_it(
        self, given: Answer, family: type[PatronError]
    ) -> None:
        """None of them is known to be written."""
        store = Store(customer(1), customer(2))
        store.operations["MetafieldsSet"] = lambda _: given

        outcomes = list(connected(store).sink.write([export("1"), export("2")]))

        assert [type(each.error) for each in outcomes] == [family, family]

    def test_a_shop_that_cannot_be_read_is_not_written(self) -> None:
        """Nobody knows what stands there."""
        store = Store(customer(1))
        store.operations["CustomersOfIds"] = lambda _: httpx2.Response(500)

        outcomes = list(connected(store).sink.write([export("1"), export("x")]))

        assert errors(outcomes) == ["RemoteUnavailable", "RemoteGone"]
        assert store.count("MetafieldsSet") == 0

    def test_an_answer_that_differs_is_looked_into(self) -> None:
        """In another order, it is as it should be; otherwise the shop stored something else."""
        store = Store(customer(1), customer(2))

        def reversed_answer(variables: dict[str, Any]) -> Answer:
            stored = store.set_metafields(variables)
            assert isinstance(stored, dict)
            stored["data"]["metafieldsSet"]["metafields"].reverse()
            return stored

        store.operations["MetafieldsSet"] = reversed_answer
        exports = [export(str(n), customer_number=f"D-{n}") for n in (1, 2)]
        fine = list(connected(store).sink.write(exports))

        cut = {"metafields": [metafield(NUMBER, "D-9"[:2])], "userErrors": []}
        store.operations["MetafieldsSet"] = lambda _: answer({"metafieldsSet": cut})
        [wrong] = connected(store).sink.write([export("1", customer_number="D-9")])

        assert errors(fine) == [None, None]
        assert isinstance(wrong.error, RemoteRejected)

    def test_an_account_keeps_no_numbers_of_locations(self) -> None:
        """Its addresses have nowhere to keep them; its own number is written."""
        store = Store(customer(1))

        [outcome] = connected(store).sink.write([export("1", locations={"91": "D-1"})])

        assert written(outcome).changed
        assert [len(v["metafields"]) for name, v in store.asked if name == "MetafieldsSet"] == [1]

    def test_as_many_go_at_once_as_one_call_takes(self) -> None:
        """More than 25 metafields are several calls."""
        store = Store(*(customer(n) for n in range(1, 31)))
        sink = connected(store).sink

        outcomes = list(sink.write([export(str(n)) for n in range(1, 31)]))

        assert sink.customers_at_once == 25
        assert errors(outcomes) == [None] * 30
        assert store.count("MetafieldsSet") == 2


class TestAdditionalData:
    """Metafields and tags."""

    def test_number_and_metafields_of_a_customer_share_a_call(self) -> None:
        """Nothing is written twice."""
        store = Store(customer(1))
        sink = connected(store, ["erp.template"]).sink
        values = {"erp.template": "wholesale"}

        outcomes = list(sink.write([export("1"), export("1", values=values)]))

        assert errors(outcomes) == [None, None]
        assert store.count("MetafieldsSet") == 1
        item = store.items["gid://shopify/Customer/1"]
        assert (item["number"]["value"], item["m0"]["value"]) == ("D-10021", "wholesale")

    def test_a_number_that_is_taken_costs_its_customers_data_nothing(self) -> None:
        """Each export has its own outcome."""
        store = Store(customer(1), refuse=refusing("D-10021", "TAKEN"))
        sink = connected(store, ["erp.template"]).sink

        outcomes = list(sink.write([export("1"), export("1", values={"erp.template": "x"})]))

        assert errors(outcomes) == ["RemoteRejected", None]

    def test_tags_are_added_and_none_is_taken_away(self) -> None:
        """Only those that are missing, whatever their case."""
        store = Store(customer(1, tags=["erp", "vip"]))
        sink = connected(store, ["tags"]).sink

        [first] = sink.write([export("1", values={"tags": "ERP, b2b,,b2b"})])
        [second] = sink.write([export("1", values={"tags": "ERP, b2b"})])

        assert written(first).changed
        assert not written(second).changed
        assert store.items["gid://shopify/Customer/1"]["tags"] == ["b2b", "erp", "vip"]
        assert [v["tags"] for name, v in store.asked if name == "TagsAdd"] == [["b2b"]]

    def test_tags_that_the_shop_drops_are_an_error(self) -> None:
        """The answer is compared (NEW-12)."""
        store = Store(customer(1))
        node = {"id": "gid://shopify/Customer/1", "tags": []}
        store.operations["TagsAdd"] = lambda _: answer(
            {"tagsAdd": {"node": node, "userErrors": []}}
        )

        [outcome] = connected(store, ["tags"]).sink.write([export("1", values={"tags": "new"})])

        assert isinstance(outcome.error, RemoteRejected)

    def test_a_field_that_is_no_metafield_is_a_configuration_error(self) -> None:
        """And takes nothing else down."""
        store = Store(customer(1))
        sink = connected(store, ["loyalty"]).sink

        outcomes = list(sink.write([export("1"), export("1", values={"loyalty": "gold"})]))

        assert errors(outcomes) == [None, "ConfigurationError"]


class TestCompanies:
    """Numbers of companies and their locations."""

    def test_company_and_locations_get_their_numbers(self) -> None:
        """Each location its own (MYOB-1)."""
        store = Store(company(locations=page(location(55), location(56, externalId="D-2-02"))))
        numbers = {"55": "D-2-01", "56": "D-2-02"}

        [outcome] = connected(store).sink.write(
            [export("company:98765001", customer_number="D-2", locations=numbers)]
        )

        assert written(outcome).changed
        assert ("CompanyUpdate", {"companyId": COMPANY, "input": {"externalId": "D-2"}}) in (
            store.asked
        )
        assert [v["input"] for n, v in store.asked if n == "CompanyLocationUpdate"] == [
            {"externalId": "D-2-01"}
        ]
        expected = company(
            externalId="D-2",
            locations=page(location(55, externalId="D-2-01"), location(56, externalId="D-2-02")),
        )
        assert written(outcome).after == record_of(whole(expected)).fingerprint

    def test_a_location_that_is_gone_is_refused(self) -> None:
        """The rest is written."""
        store = Store(company())

        [outcome] = connected(store).sink.write(
            [export("company:98765001", locations={"99": "D-2-01"})]
        )

        assert isinstance(outcome.error, RemoteRejected)
        assert store.count("CompanyUpdate") == 1

    @pytest.mark.parametrize(
        ("code", "family"), [("TAKEN", RemoteRejected), ("RESOURCE_NOT_FOUND", RemoteGone)]
    )
    def test_each_refusal_has_its_meaning(self, code: str, family: type[PatronError]) -> None:
        """A number that is taken, a company that is gone."""
        store = Store(company())
        refused = [{"field": ["input", "externalId"], "message": "Refused", "code": code}]
        store.operations["CompanyUpdate"] = lambda _: answer(
            {"companyUpdate": {"company": None, "userErrors": refused}}
        )

        [outcome] = connected(store).sink.write([export("company:98765001")])

        assert isinstance(outcome.error, family)

    @pytest.mark.parametrize(
        ("stored", "family"),
        [
            ({"id": COMPANY, "externalId": "other"}, RemoteRejected),
            ({"id": "gid://shopify/Company/1", "externalId": "D-10021"}, UnreadableAnswer),
            (None, UnreadableAnswer),
        ],
    )
    def test_the_answer_is_compared(self, stored: Any, family: type[PatronError]) -> None:
        """What the shop says it stored (NEW-12)."""
        store = Store(company())
        store.operations["CompanyUpdate"] = lambda _: answer(
            {"companyUpdate": {"company": stored, "userErrors": []}}
        )

        [outcome] = connected(store).sink.write([export("company:98765001")])

        assert isinstance(outcome.error, family)

    def test_a_company_has_no_tags(self) -> None:
        """Those are customers'."""
        store = Store(company())

        [outcome] = connected(store, ["tags"]).sink.write(
            [export("company:98765001", values={"tags": "b2b"})]
        )

        assert isinstance(outcome.error, RemoteRejected)
