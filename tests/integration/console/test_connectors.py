"""`patron connector check`, asking a shop on a real socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.demo.configuration import demo_configuration
from services.sandbox.magento.sandbox import SandboxMagento
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
    answer = patron("connector", "check")
    findings = patron("connector", "check", "shop", "--output", "json").json

    assert answer.code == 0
    assert "store view de" in answer.out
    assert {finding["problem"] for finding in findings} == {None}
    assert shop.control.requests("PUT") == 0


def test_what_is_missing_is_named_with_advice(patron: Patron, shop: SandboxMagento) -> None:
    """Exit code 1, the attribute, and what to do in the shop."""
    shop.control.remove_attribute("erp_template")

    answer = patron("connector", "check")

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

    answer = patron("connector", "check")

    assert answer.code == 1
    assert "renew its credentials" in answer.out
    assert "hunter2" not in answer.out + answer.err


def test_a_shop_under_maintenance_is_temporary(patron: Patron, shop: SandboxMagento) -> None:
    """75: nothing is known to be wrong."""
    shop.control.maintenance(on=True)

    answer = patron("connector", "check")

    assert answer.code == 75
    assert answer.err.startswith("error: shop does not answer as it should: ")
    assert "Traceback" not in answer.err
