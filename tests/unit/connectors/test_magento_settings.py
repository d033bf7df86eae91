"""Settings, credentials and the registry."""

import hmac
import logging
import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote, unquote

import httpx2
import pytest
from pydantic import ValidationError

from shared.connectors import registry
from shared.connectors.magento.auth import LoggedIn, Signed, Token
from shared.connectors.magento.settings import Bearer, OAuth1
from shared.connectors.ports import Connector
from shared.domain.errors import AccessDenied, ConfigurationError, UnreadableAnswer
from tests.unit.connectors.builders import Script, answering, item, magento, settings

CREDENTIALS = {
    "consumer_key": "key",
    "consumer_secret": "consumer-s3cret",
    "access_token": "token",
    "access_token_secret": "token-s3cret",
}
ADMIN = {"kind": "admin", "username": "patron", "password": "pass-s3cret"}
DENIED = {"message": "The consumer isn't authorized to access %resources."}


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "shop.example"},
        {"base_url": "ftp://shop.example"},
        {"base_url": "http://shop.example"},
        {"base_url": "https://user:s3cret@shop.example"},
        {"base_url": "https://shop.example/?x=1"},
        {"page_size": 301},
        {"page_size": 0},
        {"number_attribute": "ERP number"},
        {"auth": {"kind": "bearer"}},
        {"auth": {"kind": "basic", "token": "s3cret"}},
        {"auth": {"kind": "oauth1", **CREDENTIALS, "access_token": ["s3cret"]}},
        {"timeouts": {"total_seconds": 0}},
        {"ca": "no certificate"},
        {"unknown": 1},
    ],
)
def test_bad_settings_are_refused_without_their_values(changes: dict[str, Any]) -> None:
    """The start stops, and the secret stays one."""
    with pytest.raises(ValidationError) as caught:
        settings(**changes)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]", "https://shop.example/shop/"],
)
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    """A sandbox needs no certificate; a trailing slash does not matter."""
    assert settings(base_url=url).base_url == url.rstrip("/")


def test_plain_http_can_be_allowed() -> None:
    """Where the network is trusted, as between containers."""
    assert settings(base_url="http://sandbox:8080", allow_plain_http=True).base_url


def test_one_code_names_one_store_view() -> None:
    """Two entries of one code would make half of the customers invisible."""
    twice = [{"code": "de", "store_id": n, "website_id": 1} for n in (1, 2)]
    values = settings().model_dump() | {
        "store_views": twice,
        "auth": {"token": "t", "kind": "bearer"},
    }

    with pytest.raises(ValidationError, match="twice"):
        type(settings()).model_validate(values)


def test_settings_print_no_secrets() -> None:
    """Secrets are stars wherever they are shown."""
    shown = repr(settings(auth={"kind": "oauth1", **CREDENTIALS}))

    assert "s3cret" not in shown


def test_an_unknown_platform_is_a_configuration_error() -> None:
    """It names those that are known."""
    with pytest.raises(ConfigurationError, match="magento"):
        registry.settings_of("shopware", {}, {})


def test_connecting_opens_nothing() -> None:
    """A connector is built without a shop in reach."""
    connector = registry.connect("magento", settings(), "shop-de")

    assert isinstance(connector, Connector)
    connector.close()


def test_requests_are_signed_with_hmac_sha256() -> None:
    """The signature covers method, address and query, and holds when computed independently."""
    signed = Signed(OAuth1.model_validate(CREDENTIALS))
    url = "https://shop.example/rest/V1/customers/search?searchCriteria%5BpageSize%5D=2&a=b%20c"

    header = signed.header("GET", url)

    fields = dict(re.findall(r'(\w+)="([^"]*)"', header))
    given = unquote(fields.pop("oauth_signature"))
    pairs = [*fields.items(), ("searchCriteria%5BpageSize%5D", "2"), ("a", "b%20c")]
    parameters = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    base = "&".join(quote(part, safe="~") for part in ("GET", url.partition("?")[0], parameters))
    key = b"consumer-s3cret&token-s3cret"
    expected = b64encode(hmac.digest(key, base.encode(), "sha256")).decode()
    assert fields["oauth_signature_method"] == "HMAC-SHA256"
    assert given == expected
    assert header != signed.header("GET", url)


def test_signing_logs_no_credentials(caplog: pytest.LogCaptureFixture) -> None:
    """The OAuth library would write tokens into a debug log."""
    caplog.set_level(logging.DEBUG)

    Signed(OAuth1.model_validate(CREDENTIALS)).header("GET", "https://shop.example/a?b=c")

    assert "oauth" not in caplog.text


def test_a_given_token_is_used_as_it_is() -> None:
    """There is nothing to renew."""
    token = Token(Bearer.model_validate({"token": "t"}))

    assert token.header("GET", "x") == "Bearer t"
    assert not token.renew("Bearer t")


def test_an_administrator_logs_in_when_needed() -> None:
    """Once, for any number of requests."""
    script = Script(answering(200, "abc"), answering(200, item()), answering(200, item()))
    client = magento(script, settings(auth=ADMIN))

    client.customer("1")
    client.customer("1")

    assert [r.headers.get("Authorization") for r in script.requests] == [
        None,
        "Bearer abc",
        "Bearer abc",
    ]
    assert script.requests[0].url.path == "/rest/V1/integration/admin/token"


def test_a_token_that_ran_out_is_renewed_once() -> None:
    """The request is made again with the new one."""
    script = Script(
        answering(200, "old"),
        answering(401, DENIED),
        answering(200, "new"),
        answering(200, item()),
    )

    assert magento(script, settings(auth=ADMIN)).customer("4711")

    assert script.requests[-1].headers["Authorization"] == "Bearer new"


def test_a_right_that_is_missing_is_not_a_token_that_ran_out_twice() -> None:
    """After one renewal the refusal stands."""
    script = Script(
        answering(200, "old"), answering(401, DENIED), answering(200, "new"), answering(401, DENIED)
    )

    with pytest.raises(AccessDenied):
        magento(script, settings(auth=ADMIN)).customer("4711")

    assert not script.answers


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_is_not_repeated(status: int) -> None:
    """Six failures lock the account; two-factor login answers 400."""
    script = Script(answering(status, {"message": "x"}))

    with pytest.raises(AccessDenied) as caught:
        magento(script, settings(auth=ADMIN)).customer("4711")

    assert len(script.requests) == 1
    assert "pass-s3cret" not in str(caught.value)


def test_a_login_that_answers_something_else_is_unreadable() -> None:
    """No header is made from what is no token."""
    script = Script(answering(200, "a\r\nX-Injected: 1"))

    with pytest.raises(UnreadableAnswer):
        magento(script, settings(auth=ADMIN)).customer("4711")


def test_a_token_that_another_thread_renewed_is_kept() -> None:
    """Two refused threads cause one login."""
    logins = iter(["old", "new", "newest"])
    account = LoggedIn(lambda: next(logins))
    refused = account.header("GET", "x")

    account.renew(refused)
    renewed = account.header("GET", "x")
    account.renew(refused)

    assert account.header("GET", "x") == renewed == "Bearer new"


def test_an_integrations_tokens_are_not_renewed() -> None:
    """Its refusal is told at once."""
    script = Script(httpx2.Response(401, json=DENIED))

    with pytest.raises(AccessDenied):
        magento(script, settings(auth={"kind": "oauth1", **CREDENTIALS})).customer("4711")

    assert len(script.requests) == 1
