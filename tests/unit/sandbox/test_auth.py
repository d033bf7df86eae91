"""Signatures, tokens and rights: what lets a request in, and what keeps it out."""

from collections.abc import Iterator

import httpx2
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from services.sandbox.magento import SandboxMagento, auth, oauth1

SEARCH = (
    "/rest/de/V1/customers/search"
    "?searchCriteria%5Bfilter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bfield%5D=email"
    "&searchCriteria%5Bfilter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bvalue%5D=J%C3%B6rdis%2Bx%40y"
    "&searchCriteria%5BpageSize%5D=1"
)


@pytest.fixture
def guest(shop: SandboxMagento) -> Iterator[httpx2.Client]:
    """Talk to the shop without saying who one is."""
    with httpx2.Client(base_url=shop.url, timeout=5) as talking:
        yield talking


def signed(
    shop: SandboxMagento,
    path: str,
    method: str = "GET",
    secret: str = auth.CONSUMER_SECRET,
    signature_method: str = SIGNATURE_HMAC_SHA256,
    **given: str,
) -> dict[str, str]:
    """Sign a request with a library that is not the sandbox's own code."""
    signer = Client(
        auth.CONSUMER_KEY,
        client_secret=secret,
        resource_owner_key=auth.ACCESS_TOKEN,
        resource_owner_secret=auth.ACCESS_TOKEN_SECRET,
        signature_method=signature_method,
        **given,
    )
    _, headers, _ = signer.sign(f"{shop.url}{path}", http_method=method)
    return {"Authorization": str(headers["Authorization"])}


def test_the_base_string_is_that_of_the_specification() -> None:
    """The example of RFC 5849, 3.4.1.1 comes out letter by letter."""
    oauth = {
        "realm": "Example",
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
        "oauth_signature": "bYT5CMsGcbgUdFHObYMEfcx6bsw=",
    }
    pairs = [("b5", "=%3D"), ("a3", "a"), ("c@", ""), ("a2", "r b"), ("c2", ""), ("a3", "2 q")]

    text = oauth1.base_string("POST", "http://EXAMPLE.com:80/request", pairs, oauth)

    assert text == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D"
        "%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
        "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3D"
        "kkk9d7dh3k39sjv7"
    )


def test_a_signature_by_another_implementation_is_accepted(
    shop: SandboxMagento, guest: httpx2.Client
) -> None:
    """Brackets, umlauts and plus signs in the query are signed the same on both sides."""
    answer = guest.get(SEARCH, headers=signed(shop, SEARCH))

    assert answer.status_code == 200


def test_a_wrong_signature_is_refused(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """Another secret, another method, another query: each spoils the signature."""
    wrong = [
        guest.get(SEARCH, headers=signed(shop, SEARCH, secret="guessed")),
        guest.get(SEARCH, headers=signed(shop, SEARCH, "POST")),
        guest.get(SEARCH + "0", headers=signed(shop, SEARCH)),
    ]

    assert [each.status_code for each in wrong] == [401, 401, 401]
    assert wrong[0].json() == {"message": "The signature is invalid. Verify and try again."}


def test_a_nonce_is_good_once(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """A replayed request is refused, though its signature holds."""
    headers = signed(shop, SEARCH)
    guest.get(SEARCH, headers=headers)

    again = guest.get(SEARCH, headers=headers)

    assert again.status_code == 401
    assert again.json() == {
        "message": "The nonce is already being used by the consumer with ID %1",
        "parameters": [1],
    }


def test_a_stale_timestamp_and_an_old_algorithm_are_refused(
    shop: SandboxMagento, guest: httpx2.Client
) -> None:
    """A timestamp of last year, one of next year, and HMAC-SHA1."""
    headers = [
        signed(shop, SEARCH, timestamp="1600000000"),
        signed(shop, SEARCH, timestamp="4000000000"),
        signed(shop, SEARCH, signature_method=SIGNATURE_HMAC_SHA1),
    ]

    assert [guest.get(SEARCH, headers=each).status_code for each in headers] == [401, 401, 401]


def test_a_missing_parameter_is_named(guest: httpx2.Client) -> None:
    """Half an OAuth header is a bad request."""
    answer = guest.get(SEARCH, headers={"Authorization": 'OAuth oauth_consumer_key="x"'})

    assert answer.status_code == 400
    assert "oauth_token" in answer.json()["message"]


def test_no_token_and_no_right_look_alike(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """The same 401 names the resource, whether nobody asks or somebody without the right."""
    shop.control.revoke_rights("admin", auth.READ)

    nobody = guest.get("/rest/V1/customers/1")
    powerless = guest.get("/rest/V1/customers/1", headers=shop.bearer())

    assert nobody.status_code == powerless.status_code == 401
    assert nobody.json() == powerless.json()
    assert nobody.json() == {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "Magento_Customer::customer"},
    }


def test_a_reader_may_not_write(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """With the read right alone a PUT is refused, and with it nothing changes."""
    shop.control.set_rights("integration", auth.READ)
    path = "/rest/V1/customers/1"
    before = shop.control.customer(1)

    answer = guest.put(
        path, json={"customer": {"firstname": "X"}}, headers=signed(shop, path, "PUT")
    )

    assert answer.status_code == 401
    assert answer.json()["parameters"] == {"resources": "Magento_Customer::manage"}
    assert shop.control.customer(1) == before


def test_an_admin_token_lives_for_four_hours(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """Expiry looks like every other 401."""
    credentials = {"username": auth.ADMIN_USER, "password": auth.ADMIN_PASSWORD}
    token = guest.post("/rest/V1/integration/admin/token", json=credentials).json()
    headers = {"Authorization": f"Bearer {token}"}

    fresh = guest.get("/rest/V1/customers/1", headers=headers)
    shop.control.advance_clock(4 * 3600 + 1)
    stale = guest.get("/rest/V1/customers/1", headers=headers)

    assert (fresh.status_code, stale.status_code) == (200, 401)


def test_six_wrong_passwords_lock_the_account(shop: SandboxMagento, guest: httpx2.Client) -> None:
    """After six failures even the right password fails, for half an hour."""
    path = "/rest/V1/integration/admin/token"
    right = {"username": auth.ADMIN_USER, "password": auth.ADMIN_PASSWORD}
    for _ in range(6):
        assert guest.post(path, json=right | {"password": "wrong"}).status_code == 401

    locked = guest.post(path, json=right)
    shop.control.advance_clock(1801)
    later = guest.post(path, json=right)

    assert (locked.status_code, later.status_code) == (401, 200)


def test_two_factor_closes_the_plain_token_route(
    shop: SandboxMagento, guest: httpx2.Client
) -> None:
    """As in a stock installation, the route answers 400."""
    shop.control.set_quirks(two_factor=True)

    answer = guest.post(
        "/rest/V1/integration/admin/token",
        json={"username": auth.ADMIN_USER, "password": auth.ADMIN_PASSWORD},
    )

    assert answer.status_code == 400


def test_an_access_token_is_a_bearer_only_where_switched_on(
    shop: SandboxMagento, guest: httpx2.Client
) -> None:
    """Off by default, as since 2.4.4."""
    headers = {"Authorization": f"Bearer {auth.ACCESS_TOKEN}"}

    off = guest.get("/rest/V1/customers/1", headers=headers)
    shop.control.set_quirks(integration_as_bearer=True)
    on = guest.get("/rest/V1/customers/1", headers=headers)

    assert (off.status_code, on.status_code) == (401, 200)


def test_a_guest_may_register_but_not_choose_a_group(guest: httpx2.Client) -> None:
    """The create route is open to everybody; `group_id` needs the right to manage."""
    customer = {"email": "new@example.com", "firstname": "Ann", "lastname": "New"}

    chosen = guest.post("/rest/V1/customers", json={"customer": customer | {"group_id": 3}})
    plain = guest.post("/rest/V1/customers", json={"customer": customer})

    assert (chosen.status_code, plain.status_code) == (401, 200)
