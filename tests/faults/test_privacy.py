"""Whatever goes wrong, nothing of a customer and no secret is told where many may read it."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import sqlalchemy as sa

from services.sandbox.magento import auth
from tests.e2e.deployment import Deployment
from tests.faults.observation import events, noted, told
from tests.faults.people import FIRST, LAST, PLANTED, found_in, register
from tests.faults.strangers import PLAIN, Message

pytestmark = pytest.mark.timeout(180)
CONSTRAINED, RAISED = "Checkmate", "Raisington"


def test_failures_tell_nothing_about_customers(deployment: Deployment, outsider: Any) -> None:
    """At the most talkative log level, with faults that quote the customer in every way."""
    deployment.environment |= {"PATRON_LOGS__LEVEL": "debug", "PATRON_RECOVERY__PAUSE_SECONDS": "2"}
    people = [register(deployment.shop, number) for number in range(1, 6)]
    unreadable = register(deployment.shop, 6, city=PLANTED["city"] * 40)
    constrained = register(deployment.shop, 7, lastname=CONSTRAINED)
    raised = register(deployment.shop, 8, lastname=RAISED)
    _let_the_database_quote(deployment)
    _let_the_shop_quote(deployment, people)
    bad = Message("planted", "wrong_schema", json.dumps({"customer": PLANTED}).encode(), PLAIN)
    seen = set[str]()

    deployment.start()
    deployment.until(lambda: bool(deployment.rows("SELECT 1 FROM cursors")), "the start")
    bad.publish(outsider)

    def is_over() -> bool:
        seen.add(noted(deployment))
        return deployment.is_idle()

    deployment.until(is_over, "the pipeline is idle", 90)

    reasons = deployment.rows("SELECT subject, reason FROM dead_letters")
    assert {reason for _, reason in reasons} >= {"remote_rejected", "wrong_schema", "bug"}
    assert (str(constrained), "constraint_violated") in reasons
    assert (str(raised), "bug") in reasons
    assert deployment.rows(
        "SELECT state, reason FROM staging_customers WHERE external_id = :id", id=str(unreadable)
    ) == [("held", "unreadable")]
    text = "\n".join([told(deployment), *seen])
    for fact in ("access_denied", "unreadable_answer", "remote_unavailable", "RaiseException"):
        assert fact in text
    assert found_in(text) == []
    assert found_in(bad.body.decode()), "planted data would not be found"
    assert [name for name in (CONSTRAINED, RAISED) if name in text] == []
    assert [name for name, value in _secrets(deployment).items() if value in text] == []
    for role in deployment.workers:
        events(deployment, role)


def _let_the_database_quote(deployment: Deployment) -> None:
    """Have PostgreSQL refuse two people in texts that quote their rows."""
    script = f"""
        ALTER TABLE customers ADD CONSTRAINT picky CHECK (last_name <> '{CONSTRAINED}');
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'no % % <%>', NEW.first_name, NEW.last_name, NEW.email;
        END $$;
        CREATE TRIGGER refusing BEFORE INSERT ON customers FOR EACH ROW
            WHEN (NEW.last_name = '{RAISED}') EXECUTE FUNCTION refuse();
    """
    with deployment.engine.begin() as connection:
        connection.execute(sa.text(script))


def _let_the_shop_quote(deployment: Deployment, people: Sequence[int]) -> None:
    """Have the shop answer writes with texts that quote the customer."""
    refused, denied, down, lost, html = people
    who = f"{FIRST} {LAST} <{PLANTED['e-mail']}@{PLANTED['e-mail host']}>"
    quoting = json.dumps(
        {
            "message": f'The customer {who} at %1 has an invalid "%fieldName" value: %value',
            "parameters": {"1": PLANTED["street"], "fieldName": who, "value": who},
            "errors": [{"message": who, "parameters": [PLANTED["telephone"], PLANTED["city"]]}],
            "trace": who,
        }
    )
    fail = deployment.shop.control.fail_next
    for customer_id, status in ((refused, 400), (denied, 403), (down, 500)):
        fail("status", method="PUT", path=f"/{customer_id}$", status=status, body=quoting)
    fail("lost", method="PUT", path=f"/{lost}$")
    fail("status", 3, method="GET", path=f"/{html}$", status=200, body=f"<p>{who}</p>")
    fail("truncated", 3, method="GET", path="customers/search")


def _secrets(deployment: Deployment) -> dict[str, str]:
    urls = (deployment.environment[f"PATRON_{name}__URL"] for name in ("BROKER", "DATABASE"))
    broker, database = (unquote(urlsplit(url).password or "") for url in urls)
    oauth = {
        name: getattr(auth, name)
        for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    }
    known = {"broker": broker, "database": database, **oauth, "signature": "oauth_signature"}
    # A server of the developer's own may have no password, or a word for one.
    return {name: value for name, value in known.items() if len(value) > 8}
