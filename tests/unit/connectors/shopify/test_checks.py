"""What is verified at start, and what an operator is told."""

from typing import Any

import httpx2
import pytest

from shared.connectors.ports import Finding
from tests.unit.connectors.shopify.builders import (
    Answer,
    Shop,
    answer,
    connected,
    customer,
    error,
    found,
)

SCOPES = ("read_customers", "write_customers")
DEFINITION = {"namespace": "erp", "key": "customer_number", "name": "N", "type": {"name": "id"}}
TEMPLATE = {**DEFINITION, "key": "template", "type": {"name": "single_line_text_field"}}


def shop(
    *, scopes: tuple[str, ...] = SCOPES, defined: tuple[Any, ...] = (DEFINITION, TEMPLATE)
) -> Shop:
    """Return a shop that is as it should be."""
    handles = [{"handle": scope} for scope in scopes]
    data = {"shop": {"id": "s"}, "currentAppInstallation": {"accessScopes": handles}}
    return Shop(
        Ping=lambda _: answer(data),
        MetafieldDefinitions=lambda _: found(*defined),
        CustomersLatest=lambda _: found(customer()),
        AnyCompany=lambda _: found(),
    )


def problems(respond: Any, *fields: str, **changes: Any) -> dict[str, Finding]:
    """Return what is wrong, by subject."""
    findings = connected(respond, fields, **changes).sink.check()
    return {finding.subject: finding for finding in findings if finding.problem}


def test_a_shop_in_order_has_no_problems() -> None:
    """Connection, rights, version, metafields, personal data."""
    findings = connected(shop(), ["erp.template", "tags"]).sink.check()

    assert [finding.problem for finding in findings] == [None] * len(findings)
    assert "metafield erp.customer_number" in {finding.subject for finding in findings}


def test_a_shop_that_refuses_us_is_told_first() -> None:
    """Everything else would fail, too."""
    refused = httpx2.Response(401, content=b'{"errors":"[API] Invalid API key or access token"}')

    found = connected(lambda _: refused).sink.check()

    assert [finding.subject for finding in found] == ["reach the shop"]
    assert "Invalid API key" in str(found[0].problem)


@pytest.mark.parametrize("missing", SCOPES)
def test_a_scope_that_is_missing_is_told(missing: str) -> None:
    """With what to do."""
    granted = tuple(scope for scope in SCOPES if scope != missing)

    [(subject, finding)] = problems(shop(scopes=granted)).items()

    assert subject == missing.replace("_", " ")
    assert finding.advice


@pytest.mark.parametrize(
    ("defined", "words"),
    [
        ((), "not defined"),
        (({**DEFINITION, "type": {"name": "single_line_text_field"}},), "twice"),
        (({**DEFINITION, "key": "other"},), "not defined"),
    ],
)
def test_the_numbers_metafield_must_be_unique(defined: tuple[Any, ...], words: str) -> None:
    """It is defined with the type id, or a number could be given twice."""
    found = problems(shop(defined=defined))["metafield erp.customer_number"]

    assert words in str(found.problem)
    assert found.advice


def test_every_metafield_that_is_written_must_be_defined() -> None:
    """And named as one; tags need nothing."""
    found = problems(shop(defined=(DEFINITION,)), "erp.template", "loyalty", "tags")

    assert set(found) == {
        "metafield erp.template of a customer",
        "metafield erp.template of a company",
        "metafield loyalty of a customer",
        "metafield loyalty of a company",
    }


def test_personal_data_that_is_not_approved_is_told() -> None:
    """By its kind."""
    given = shop()

    def latest(_: dict[str, Any]) -> Answer:
        if given.count("CustomersLatest") > 1:
            return found({k: v for k, v in customer().items() if k != "defaultEmailAddress"})
        path: list[str | int] = ["found", "nodes", 0, "defaultEmailAddress"]
        return answer({"found": None}, error("ACCESS_DENIED", path=path))

    given.operations["CustomersLatest"] = latest

    [(subject, finding)] = problems(given).items()

    assert subject == "personal data: e-mail addresses"
    assert "level 2" in str(finding.advice)


def test_personal_data_that_nobody_shows_is_told() -> None:
    """Null in all customers, without an error."""
    empty = customer(
        firstName=None,
        lastName=None,
        defaultEmailAddress=None,
        defaultPhoneNumber=None,
        defaultAddress=None,
    )
    given = shop()
    given.operations["CustomersLatest"] = lambda _: found(empty)

    assert set(problems(given)) == {"personal data"}


def test_a_plan_without_companies_is_told() -> None:
    """Where a store view of companies is configured."""
    given = shop()
    denied = error("ACCESS_DENIED", "The plan does not include B2B", path=["found"])
    given.operations["AnyCompany"] = lambda _: answer(None, denied)

    [(subject, finding)] = problems(given).items()

    assert subject == "read companies"
    assert "plan does not include" in str(finding.problem)
    assert "B2B" in str(finding.advice)


def test_a_version_that_is_not_served_is_told() -> None:
    """The shop answers by another."""
    given = shop()

    def respond(request: httpx2.Request) -> httpx2.Response:
        response = given(request)
        response.headers["X-Shopify-API-Version"] = "2027-01"
        return response

    [finding] = problems(respond).values()

    assert "2027-01" in str(finding.problem)
