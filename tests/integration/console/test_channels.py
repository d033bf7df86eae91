"""`patron channel check`, `discover` and `read`, asking a shop on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.console.demo.configuration import demo_configuration
from services.sandbox.magento.sandbox import SandboxMagento
from shared.domain.customer import Customer
from tests.conformance.drivers import DRIVERS
from tests.conformance.shop import Ability, Shop
from tests.unit.config.builders import a_file
from tests.unit.console.runner import Patron


@pytest.fixture
def shop(tmp_path: Path, patron: Patron) -> Iterator[SandboxMagento]:
    """Give a shop that is ready for Patron, and a configuration that names it."""
    with SandboxMagento(customers=20) as shop:
        shop.control.add_attribute("erp_template")
        shop.control.add_attribute("erp_payment_terms")
        a_file(tmp_path, demo_configuration(shop.url, tmp_path))
        yield shop


def test_a_shop_that_is_ready_is_in_order(patron: Patron, shop: SandboxMagento) -> None:
    """Rights, store views and attributes are looked at, and nothing is written."""
    answer = patron("channel", "check")
    findings = patron("channel", "check", "shop", "--output", "json").json

    assert answer.code == 0
    assert "store view de" in answer.out
    assert {finding["problem"] for finding in findings} == {None}
    assert shop.control.requests("PUT") == 0


def test_what_is_missing_is_named_with_advice(patron: Patron, shop: SandboxMagento) -> None:
    """Exit code 1, the attribute, and what to do in the shop."""
    shop.control.remove_attribute("erp_template")

    answer = patron("channel", "check")

    assert answer.code == 1
    assert "attribute erp_template" in answer.out
    assert "does not exist in the shop" in answer.out
    assert "create a customer attribute of type text" in answer.out


def test_wrong_credentials_are_named_without_showing_them(
    patron: Patron, shop: SandboxMagento, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finding says which right to grant; the secret is nowhere."""
    auth = "PATRON_CHANNELS__SHOP__CONNECTOR__AUTH__"
    monkeypatch.setenv(f"{auth}ACCESS_TOKEN_SECRET", "hunter2")

    answer = patron("channel", "check")

    assert answer.code == 1
    assert "renew its credentials" in answer.out
    assert "hunter2" not in answer.out + answer.err


def test_a_shop_under_maintenance_is_temporary(patron: Patron, shop: SandboxMagento) -> None:
    """75: nothing is known to be wrong."""
    shop.control.maintenance(on=True)

    answer = patron("channel", "check")

    assert answer.code == 75
    assert answer.err.startswith("error: shop does not answer as it should: ")
    assert "Traceback" not in answer.err


def test_a_channel_that_is_not_configured_is_named(patron: Patron, shop: SandboxMagento) -> None:
    """With those there are; nobody is asked."""
    for words in (["check", "shap"], ["discover", "shap"], ["read", "shap"]):
        answer = patron("channel", *words)

        assert answer.code == 2
        assert answer.err == "error: there is no channel 'shap'; configured are shop\n"
    assert shop.control.stats()["requests_total"] == 0


def test_what_a_shop_has_is_listed_with_its_use(patron: Patron, shop: SandboxMagento) -> None:
    """Under the names that a configuration uses; what is not used yet is listed as well."""
    found = patron("channel", "discover", "shop", "-o", "json").json
    table = patron("channel", "discover", "shop").out

    uses = {(each["family"], each["name"]): each["used_for"] for each in found}
    assert uses["store_view", "de"] == ["store view de"]
    assert uses["attribute", "erp_template"] == ["additional data"]
    assert uses["attribute", "erp_customer_number"] == ["connector.number_attribute"]
    assert uses["attribute", "loyalty_level"] == uses["group", "Wholesale"] == []
    assert "loyalty_level" in table


def test_customers_are_printed_as_they_are_understood(patron: Patron, shop: SandboxMagento) -> None:
    """One line each in canonical form, then how far that went; nothing is stored anywhere."""
    answer = patron("channel", "read", "shop", "--store-view", "de")

    *lines, last = [orjson.loads(line) for line in answer.out.splitlines()]
    customers = [Customer.model_validate(line["customer"]) for line in lines]
    assert answer.code == 0
    assert {customer.source.store_view for customer in customers} == {"de"}
    assert {customer.source.external_id for customer in customers} == _of_store(shop, 1)
    assert last["state"]["is_complete"]
    assert last["state"]["customers"] == len(customers)
    assert last["state"]["mark"]["changed_at"] == max(
        line["customer"]["source"]["version"]["changed_at"] for line in lines
    ).replace("Z", "+00:00")
    assert shop.control.requests("PUT") == 0
    assert not Path("patron.db").exists()


def test_every_store_view_has_its_state(patron: Patron, shop: SandboxMagento) -> None:
    """Those that are imported, one after the other."""
    lines = [orjson.loads(line) for line in patron("channel", "read", "shop").out.splitlines()]

    states = [line["state"]["store_view"] for line in lines if "state" in line]
    assert states == ["de", "fr", "nl", "uk", "us"]
    assert sum("customer" in line for line in lines) == 20


def test_reading_goes_on_from_a_mark(patron: Patron, shop: SandboxMagento) -> None:
    """`--since` its moment brings what changed then and later."""
    first = patron("channel", "read", "shop", "--store-view", "de").out.splitlines()
    mark = orjson.loads(first[-1])["state"]["mark"]["changed_at"]
    new = shop.control.register(
        {"email": "n@example.com", "firstname": "N", "lastname": "New", "store_id": 1}
    )

    rest = patron("channel", "read", "shop", "--store-view", "de", "--since", mark).out.splitlines()

    read = {orjson.loads(line)["customer"]["source"]["external_id"] for line in rest[:-1]}
    assert str(new["id"]) in read
    assert len(read) < len(first)


def test_a_limit_leaves_the_mark_where_it_is_safe(patron: Patron, shop: SandboxMagento) -> None:
    """A page that is printed in part is not passed."""
    *lines, last = patron(
        "channel", "read", "shop", "--store-view", "de", "-n", "2"
    ).out.splitlines()

    state = orjson.loads(last)["state"]
    assert len(lines) == 2
    assert (state["mark"], state["is_complete"]) == (None, False)


def test_one_customer_is_read_by_the_shops_id(patron: Patron, shop: SandboxMagento) -> None:
    """In its store view, without a state: nothing was scanned."""
    [line] = patron("channel", "read", "shop", "--customer", "7").out.splitlines()

    source = orjson.loads(line)["customer"]["source"]
    assert source["external_id"] == "7"
    assert source["store_view"] in {"de", "fr", "nl", "uk", "us"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--customer", "4711"], 1, "shop has no customer '4711'"),
        (["--customer", "7", "--limit", "2"], 2, "leave the other options away"),
        (["--store-view", "xx"], 2, "shop has no store view 'xx'"),
        (["--since", "yesterday"], 2, "is no moment"),
    ],
)
def test_what_cannot_be_read_is_said(
    patron: Patron, shop: SandboxMagento, words: list[str], code: int, text: str
) -> None:
    """On standard error; standard output stays empty."""
    answer = patron("channel", "read", "shop", *words)

    assert (answer.code, answer.out) == (code, "")
    assert text in answer.err


def test_a_shop_that_breaks_off_leaves_a_state(patron: Patron, shop: SandboxMagento) -> None:
    """What was read before it counts, and it may be tried again."""
    shop.control.fail_next("server_error", times=9, path="customers/search", skip=1)

    answer = patron("channel", "read", "shop")

    states = [
        each["state"] for each in map(orjson.loads, answer.out.splitlines()) if "state" in each
    ]
    assert answer.code == 75
    assert [state["is_complete"] for state in states] == [True, False]
    assert "does not answer as it should" in answer.err


def test_what_a_terminal_would_obey_is_escaped(patron: Patron, shop: SandboxMagento) -> None:
    """The line is still the same JSON."""
    shop.control.set_quirks(validates_names=False)
    name = "Ann\u202eLang"
    one = shop.control.register(
        {"email": "a@example.com", "firstname": name, "lastname": "Lang", "store_id": 1}
    )

    [line] = patron("channel", "read", "shop", "--customer", one["id"]).out.splitlines()

    assert line.isprintable()
    assert orjson.loads(line)["customer"]["first_name"] == name


@pytest.mark.parametrize("platform", [name for name in DRIVERS if name != "kiosk"])
def test_every_platform_can_be_looked_at(patron: Patron, tmp_path: Path, platform: str) -> None:
    """Checked, discovered and read, whatever it is; what is pushed has nothing to read."""
    with DRIVERS[platform]() as shop:
        a_file(tmp_path, _configuration(platform.partition("-")[0], shop))
        registered = set(shop.register(2))

        answers = [patron("channel", word, "shop") for word in ("check", "discover", "read")]

    assert answers[0].code == 0
    if Ability.SOURCE in shop.lacks:
        assert [answer.code for answer in answers[1:]] == [2, 2]
        assert "its customers are pushed to us" in answers[2].err
    else:
        read = [orjson.loads(line) for line in answers[2].out.splitlines()]
        ids = {line["customer"]["source"]["external_id"] for line in read if "customer" in line}
        assert [answer.code for answer in answers[1:]] == [0, 0]
        assert registered <= ids
        assert all(secret not in answer.out + answer.err for answer in answers for secret in
                   shop.secrets)  # fmt: skip


def _configuration(platform: str, shop: Shop) -> str:
    """Return a configuration of one channel, the shop's."""
    views = [{"code": code, "remote": dict(remote)} for code, remote in shop.views.items()]
    tables = {"platform": platform, "connector": shop.table, "store_views": views}
    series, template = {"prefix": "D"}, {"name": "standard", "number_series": "debtors"}
    return (
        f"channels.shop = {_toml(tables)}\n"
        f"number_series.debtors = {_toml(series)}\n"
        f"templates = {_toml([template])}\n"
    )


def _toml(value: Any) -> str:
    """Write a value as TOML does in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _of_store(shop: SandboxMagento, store_id: int) -> set[str]:
    customers = [shop.control.customer(number) for number in range(1, 21)]
    return {str(each["id"]) for each in customers if each["store_id"] == store_id}
