"""A shop in trouble: every failure is one of ours, tells nothing private, and loses no place."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from shared.connectors.ports import CustomerSource, Page
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
    TransientError,
)
from tests.conformance import person
from tests.conformance.channel import (
    FULL_SIZE,
    Channel,
    fetched,
    ids_of,
    numbered,
    scan,
    text_of,
)
from tests.conformance.shop import Ability, Shop, Trouble
from tests.conformance.trouble import FAMILIES, skip_unless_possible

READS: dict[str, Callable[[CustomerSource, str, str], object]] = {
    "changes": lambda source, view, _one: scan(source, view),
    "sweep": lambda source, view, _one: list(source.sweep(view, "")),
    "fetch": lambda source, _view, one: source.fetch(one),
}

pytestmark = pytest.mark.needs(Ability.SOURCE)


@pytest.mark.parametrize("trouble", FAMILIES)
@pytest.mark.parametrize("read", READS)
def test_a_read_that_fails_says_what_helps(
    shop: Shop, source: CustomerSource, read: str, trouble: Trouble
) -> None:
    """By its family; its text holds neither personal data nor a secret."""
    skip_unless_possible(shop, trouble)
    [one] = shop.register()
    fetched(source, one)
    shop.upset(trouble, on="read")

    with pytest.raises(PatronError) as caught:
        READS[read](source, shop.view, one)

    assert type(caught.value) is FAMILIES[trouble]
    assert not person.told_in(text_of(caught.value), shop.secrets)


def test_the_wait_that_is_asked_for_is_told(shop: Shop, source: CustomerSource) -> None:
    """So that nobody comes back too early, nor much too late."""
    [one] = shop.register()
    fetched(source, one)
    wait = shop.upset(Trouble.THROTTLED, on="read")

    with pytest.raises(RemoteThrottled) as caught:
        source.fetch(one)

    assert caught.value.retry_after_seconds == (wait and pytest.approx(wait, abs=1.5))


@pytest.mark.parametrize(
    "trouble", [t for t, f in FAMILIES.items() if issubclass(f, TransientError)]
)
def test_a_scan_that_breaks_off_is_completed(
    shop: Shop, source: CustomerSource, trouble: Trouble
) -> None:
    """Pages before it count, reading on from their last mark misses nobody; or it is overcome."""
    registered = set(shop.register(FULL_SIZE))
    pages: list[Page] = []
    shop.upset(trouble, on="read", skip=1)

    with suppress(FAMILIES[trouble]):
        pages.extend(source.changes(shop.view, None))

    marks = [page.mark for page in pages if page.mark]
    rest = scan(source, shop.view, marks[-1] if marks else None)
    assert ids_of([*pages, *rest]) == registered


def test_a_call_ends_at_its_deadline(shop: Shop, channel: Channel) -> None:
    """A shop that accepts the request and says nothing holds nobody up."""
    [one] = shop.register()
    source = channel.connect(**shop.bounded(1, 0.4)).reading
    # The first call connects as well, and may take longer.
    assert any(_is_answered(source, one) for _ in range(20))
    shop.upset(Trouble.HELD, on="read")

    with pytest.raises(RemoteUnavailable):
        source.fetch(one)

    assert channel.calls[-1].outcome == "timeout"
    shop.release()


def _is_answered(source: CustomerSource, external_id: str) -> bool:
    with suppress(RemoteUnavailable):
        return fetched(source, external_id).external_id == external_id
    return False


def test_a_hiccup_is_overcome_within_the_call(shop: Shop, channel: Channel) -> None:
    """A read is tried again where that is allowed."""
    [one] = shop.register()
    source = channel.connect(**shop.bounded(2, 10)).reading
    fetched(source, one)
    shop.upset(Trouble.SERVER_ERROR, on="read")

    assert fetched(source, one).external_id == one


def test_wrong_credentials_pause_the_channel(shop: Shop, channel: Channel) -> None:
    """A configuration error that does not repeat the credentials."""
    [one] = shop.register()
    source = channel.connect(**shop.wrong_credentials).reading

    with pytest.raises(AccessDenied) as caught:
        source.fetch(one)

    assert not person.told_in(text_of(caught.value), shop.secrets)


def test_a_wrong_address_is_no_missing_customer(shop: Shop, channel: Channel) -> None:
    """A 404 of a route is a matter of the set-up: nobody was deleted."""
    [one] = shop.register()
    connector = channel.connect(**shop.elsewhere)

    with pytest.raises(ConfigurationError):
        connector.reading.fetch(one)
    [outcome] = connector.sink.write([numbered(one)])

    assert isinstance(outcome.error, ConfigurationError)


@pytest.mark.needs(Ability.EXPIRING_TOKEN)
def test_a_token_that_runs_out_in_the_midst_is_renewed_once(shop: Shop, channel: Channel) -> None:
    """The scan goes on as if nothing had been."""
    registered = set(shop.register(FULL_SIZE))
    source = channel.connect(**shop.expiring_credentials).reading
    scanning = source.changes(shop.view, None)
    pages = [next(scanning)]
    before = shop.logins()
    shop.expire_token()

    pages += scanning

    assert ids_of(pages) == registered
    assert (before, shop.logins()) == (1, 2)
