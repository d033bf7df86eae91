"""Setting a channel up: what is checked, what is discovered, and what stays secret."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.connectors.ports import Connector, CustomerSink, CustomerSource
from shared.domain.errors import AccessDenied
from tests.conformance import person
from tests.conformance.channel import Channel, settings_of, text_of
from tests.conformance.shop import Ability, Shop

pytestmark = pytest.mark.needs(Ability.SINK)


def test_a_shop_in_order_has_no_problems(shop: Shop, sink: CustomerSink) -> None:
    """Every finding is in order, and there are some: somebody looked."""
    findings = sink.check()

    assert findings
    assert {finding.problem for finding in findings} == {None}


@pytest.mark.needs(Ability.REMOVABLE_FIELD)
def test_a_missing_field_is_found_with_advice(shop: Shop, sink: CustomerSink) -> None:
    """Before the first customer fails on it."""
    shop.remove_field()

    [problem] = [finding for finding in sink.check() if finding.problem]

    assert problem.advice


@pytest.mark.needs(Ability.CHECKED_CREDENTIALS)
def test_wrong_credentials_are_found_with_advice(shop: Shop, channel: Channel) -> None:
    """The check itself does not fail, and tells no secret."""
    findings = channel.connect(**shop.wrong_credentials).sink.check()

    problems = [finding for finding in findings if finding.problem]
    assert problems
    assert all(finding.advice for finding in problems)
    assert not person.told_in(repr(findings), shop.secrets)


def test_a_check_writes_nothing(shop: Shop, sink: CustomerSink) -> None:
    """It runs at every start."""
    [one] = shop.register()
    before = shop.rest(one)

    sink.check()

    assert shop.writes(one) == 0
    assert shop.rest(one) == before


@pytest.mark.needs(Ability.DISCOVERY)
def test_what_the_configuration_names_is_discovered(shop: Shop, source: CustomerSource) -> None:
    """Under the very names that the configuration uses."""
    shop.register(2)

    found = source.discover()

    assert shop.discoverable <= {(each.family, each.name) for each in found}
    assert not person.told_in(repr(found), shop.secrets)


@pytest.mark.needs(Ability.DISCOVERY)
def test_discovery_with_wrong_credentials_is_denied(shop: Shop, channel: Channel) -> None:
    """Not an empty list, which would look like an empty shop."""
    source = channel.connect(**shop.wrong_credentials).reading

    with pytest.raises(AccessDenied):
        source.discover()


def test_secrets_do_not_show(shop: Shop, channel: Channel, connector: Connector) -> None:
    """Neither in the settings' own words nor in those of what is built of them."""
    settings = settings_of(shop)

    shown = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()]
    shown += [repr(connector), repr(connector.sink), repr(connector.source)]

    assert shop.secrets
    assert not person.told_in("\n".join(shown), shop.secrets)


def test_a_wrong_setting_is_named_without_its_value(shop: Shop) -> None:
    """Every key in turn is given what it cannot be; the key is named, the value never."""
    secret = "hunter2-of-the-shop"
    wrong: list[dict[str, Any]] = [{"no_such_setting": secret}]
    wrong += [{key: {"x": [secret]}} for key in shop.table]

    for changes in wrong:
        with pytest.raises(ValidationError) as caught:
            settings_of(shop, **changes)
        text = text_of(caught.value)
        assert next(iter(changes)) in text
        assert secret not in text
        assert not person.told_in(text, shop.secrets)


def test_settings_are_frozen(shop: Shop) -> None:
    """Threads share them."""
    settings = settings_of(shop)

    with pytest.raises(ValidationError):
        setattr(settings, next(iter(shop.table)), None)


def test_no_credential_goes_over_an_open_line(shop: Shop) -> None:
    """Plain HTTP to another machine has to be allowed."""
    with pytest.raises(ValidationError, match="https"):
        settings_of(shop, **shop.open_line)
