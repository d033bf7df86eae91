"""Pushed customers: taken in once, durably, and told what became of them."""

from typing import Any

import pytest

from shared.domain.customer import SourceKey
from shared.persistence import raw_payloads as raw_payload_rows
from shared.persistence.tables import (
    push_items,
    push_requests,
    raw_payloads,
    source_records,
    staging_customers,
)
from tests.integration.importer.intake.gate import (
    ANN,
    OTHER_KEY,
    Client,
    Gate,
    push_settings,
)


def test_a_pushed_customer_is_imported_and_its_number_is_told(gate: Gate, client: Client) -> None:
    """Searched, created, and the number returned (D365-4); its origin is recorded (D365-1)."""
    pushed = client.push(ANN)
    waiting = client.status("4711")
    gate.process()
    numbered = client.status("4711")

    assert pushed.status_code == 202
    assert pushed.headers["location"] == pushed.json()["status_url"]
    assert pushed.json()["customers"] == [
        {"index": 0, "outcome": "accepted", "external_id": "4711"}
    ]
    assert waiting.json() == {"external_id": "4711", "state": "waiting"}
    assert numbered.json() == {
        "external_id": "4711", "state": "numbered", "customer_number": "D10001",
    }  # fmt: skip
    [message] = gate.imported_messages()
    assert message.body.origin == "push"
    assert message.body.customer.email == "Ann.Lang@example.com"
    assert message.body.customer.phone.e164 == "+49301234567"
    [address] = message.body.customer.addresses
    assert (address.country, address.is_default_billing, address.is_default_shipping) == (
        "DE", True, True,
    )  # fmt: skip


def test_a_request_tells_of_all_its_customers(gate: Gate, client: Client) -> None:
    """By the status URL of the answer (D365-4)."""
    batch = {"customers": [ANN, {**ANN, "external_id": "2", "addresses": []}, {"email": "x"}]}

    receipt = client.push(batch).json()
    gate.process()
    status = client.http.get(
        receipt["status_url"], headers={"Authorization": f"Bearer {OTHER_KEY}"}
    ).json()

    assert [item["outcome"] for item in status["customers"]] == ["accepted", "accepted", "refused"]
    states = [item.get("customer", {}) for item in status["customers"]]
    assert [(s.get("state"), s.get("reason")) for s in states] == [
        ("numbered", None), ("held", "no_billing_address"), (None, None),
    ]  # fmt: skip
    assert status["customers"][2]["errors"] == [
        {"pointer": "/customers/2/external_id", "detail": "is missing: your id of the customer"}
    ]


def test_what_is_unchanged_makes_no_message(gate: Gate, client: Client) -> None:
    """Known by its content, whatever order it is written in; what was pushed is kept once."""
    client.push(ANN)
    client.push(dict(sorted(ANN.items(), reverse=True)))
    client.push({**ANN, "first_name": "Anna"})

    assert [m.body.customer.first_name for m in gate.imported_messages()] == ["Ann", "Anna"]
    assert len(gate.rows(source_records)) == 1
    assert len(gate.rows(raw_payloads)) == 1


def test_a_request_made_again_is_answered_as_the_first_time(gate: Gate, client: Client) -> None:
    """Same key and body: same answer and no effect; same key and other body: refused (D365-15)."""
    first = client.push(ANN, idempotency="a-1")
    again = client.push(ANN, idempotency="a-1")
    other = client.push({**ANN, "first_name": "Eve"}, idempotency="a-1")

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["type"]) == (422, "urn:patron:problem:key-reused")
    assert len(gate.imported_messages()) == 1
    assert len(gate.rows(push_requests)) == 1
    assert gate.counted(channel="crm", kind="push", outcome="duplicate") == 1


def test_a_refused_request_leaves_its_key_free(gate: Gate, client: Client) -> None:
    """Mended, it may come with the same key."""
    refused = client.push({"first_name": "Ann"}, idempotency="a-1")
    mended = client.push(ANN, idempotency="a-1")

    assert (refused.status_code, mended.status_code) == (422, 202)
    assert len(gate.rows(push_requests)) == 1


def test_a_signed_request_is_taken_once_whoever_sends_it_again(gate: Gate, client: Client) -> None:
    """A replay within the five minutes is answered, and has no effect (D365-15)."""
    body = b'{"external_id": "1", "first_name": "Ann"}'
    first = client.signed(body)
    client.push({"external_id": "1", "first_name": "Anna"})
    replayed = client.signed(body)
    gate.station.clock.advance(301)
    late = client.http.post("/v1/customers", content=body, headers=first.request.headers)

    assert (first.status_code, replayed.status_code, late.status_code) == (202, 202, 401)
    assert first.json() == replayed.json()
    assert [m.body.customer.first_name for m in gate.imported_messages()] == ["Ann", "Anna"]


def test_what_was_overheard_cannot_come_under_another_key(gate: Gate, client: Client) -> None:
    """Not even the second try of a request, which is answered by its key."""
    body = b'{"external_id": "1", "first_name": "Ann"}'
    tries = []
    for _ in range(2):
        tries.append(client.signed(body, idempotency="a-1"))
        gate.station.clock.advance(1)
    client.signed(b'{"external_id": "1", "first_name": "Anna"}')
    overheard = {**tries[1].request.headers}

    again = client.http.post("/v1/customers", content=body, headers=overheard)
    other_key = client.http.post(
        "/v1/customers", content=body, headers={**overheard, "idempotency-key": "b"}
    )
    del overheard["idempotency-key"]
    no_key = client.http.post("/v1/customers", content=body, headers=overheard)

    assert again.json() == tries[0].json() == tries[1].json()
    assert (other_key.status_code, no_key.status_code) == (401, 401)
    assert [m.body.customer.first_name for m in gate.imported_messages()] == ["Ann", "Anna"]


def test_a_signature_is_good_for_one_place(client: Client) -> None:
    """What was signed to push cannot be used to read, nor under another channel's name."""
    body = b'{"external_id": "1"}'
    client.signed(body)

    read = client.signed(b"", path="/v1/customers/1", method="GET")
    wrong_key = client.signed(body, key="x" * 40)
    wrong_channel = client.signed(body, channel="nobody")

    assert (read.status_code, wrong_key.status_code, wrong_channel.status_code) == (200, 401, 401)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer " + "x" * 44},
     {"Authorization": "Basic abc"}, {"Patron-Signature": "v1=00"},
     {"Patron-Signature": "v1=" + "0" * 64, "Patron-Timestamp": "1", "Patron-Channel": "crm"}],
)  # fmt: skip
def test_who_has_no_key_is_refused_in_one_way(client: Client, headers: dict[str, str]) -> None:
    """The answer does not say what was wrong (D365-15)."""
    answer = client.http.post("/v1/customers", json=dict(ANN), headers=headers)

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:patron:problem:unauthorized"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({**ANN, "emial": "x"}, "/emial", "no such field"),
        ({**ANN, "birth_date": "tomorrow"}, "/birth_date", "date"),
        ({**ANN, "is_guest": "yes"}, "/is_guest", "boolean"),
        ({**ANN, "addresses": [{"country": "Atlantis"}]}, "/addresses/0/country", "no country"),
        ({**ANN, "custom": {"attributes": {"a/b": [1]}}}, "/custom/attributes/a~1b", "should"),
        ({**ANN, "store_view": "fr"}, "/store_view", "one of main"),
        ({"customers": [], "x": 1}, "/x", "beside customers"),
        ({"customers": []}, "/customers", "1 to 500"),
        ({"customers": [ANN] * 501}, "/customers", "1 to 500"),
        ([], "", "customers"),
    ],
)
def test_what_does_not_fit_is_named_and_not_repeated(
    client: Client, body: Any, pointer: str, said: str
) -> None:
    """A problem with JSON pointers, free of values (D365-15)."""
    answer = client.push(body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert errors[0]["pointer"] == pointer
    assert said in errors[0]["detail"]
    assert not any(value in answer.text for value in ("Atlantis", "tomorrow", "Lang", "yes"))


def test_a_customer_stands_once_in_a_request(gate: Gate, client: Client) -> None:
    """Which of two states were the last nobody could say."""
    answer = client.push({"customers": [ANN, {**ANN, "first_name": "Anna"}]}).json()

    assert [item["outcome"] for item in answer["customers"]] == ["accepted", "refused"]
    assert answer["customers"][1]["errors"][0]["pointer"] == "/customers/1"
    assert [m.body.customer.first_name for m in gate.imported_messages()] == ["Ann"]


def test_an_older_state_never_replaces_a_newer(gate: Gate, client: Client) -> None:
    """`updated_at` orders what comes out of order (NEW-8)."""
    client.push({**ANN, "updated_at": "2026-10-02T10:00:00Z"})
    client.push({**ANN, "first_name": "Old", "updated_at": "2026-10-01T10:00:00Z"})
    gate.process()

    [row] = [r for r in gate.rows(staging_customers) if r.state == "processed"]
    assert b'"Ann"' in row.body


def test_store_views_are_named_where_there_are_several(gate: Gate) -> None:
    """One whose import is off takes nobody (C365-1)."""
    gate.settings = push_settings(store_views=[{"code": "de"}, {"code": "uk"}])
    gate.imported = frozenset({"de"})

    with gate.open() as client:
        answer = client.push(
            {"customers": [{**ANN, "store_view": "de"}, {**ANN, "store_view": "uk"}, ANN]}
        ).json()

    assert [item["outcome"] for item in answer["customers"]] == ["accepted", "refused", "refused"]
    [message] = gate.imported_messages()
    assert message.body.customer.source.store_view == "de"


def test_a_mapping_turns_a_foreign_shape_into_ours(gate: Gate) -> None:
    """Middleware in between transforms (D365-3); what is not there is not said."""
    gate.settings = push_settings(
        records="contacts",
        mapping={
            "external_id": "to_string(id)",
            "email": "contact.mail",
            "first_name": "name.first",
            "phone": "contact.tel",
            "addresses": "homes[].{lines: [street], city: town, country: cc,"
            " is_default_billing: main, is_default_shipping: main}",
            "custom.attributes.loyalty": "loyalty.tier",
        },
    )
    body = {
        "sent_by": "crm",
        "contacts": [
            {"id": 7, "contact": {"mail": "a@example.com"}, "name": {"first": "Ann"},
             "homes": [{"street": "Weg 1", "town": "Wien", "cc": "AUT", "main": True}],
             "loyalty": {"tier": "gold"}},
            {"id": 8, "contact": {"mail": ["secret@example.com"]}},
        ],
    }  # fmt: skip

    with gate.open() as client:
        answer = client.push(body)

    [message] = gate.imported_messages()
    customer = message.body.customer
    assert (customer.source.external_id, customer.email) == ("7", "a@example.com")
    assert customer.addresses[0].country == "AT"
    assert customer.custom.attributes == {"loyalty": "gold"}
    assert not customer.said("phone")
    assert answer.json()["customers"][1]["errors"] == [
        {"pointer": "/customers/1", "detail": "email: should be a valid string"}
    ]


def test_what_is_kept_of_a_push_holds_no_password(gate: Gate) -> None:
    """A shape of the pusher's own may have one; only the mapped fields go on (ORO-6)."""
    gate.settings = push_settings(mapping={"external_id": "id"})

    with gate.open() as client:
        client.push({"id": "1", "login": {"Password": "hunter2", "user": "ann"}, "api_token": "x"})

    with gate.station.units.read() as work:
        [kept] = raw_payload_rows.of_accounts(work, [SourceKey("crm", "1")])
    assert kept.payload == {"id": "1", "login": {"user": "ann"}}


def test_nothing_is_left_of_a_request_that_is_refused(gate: Gate, client: Client) -> None:
    """All or nothing."""
    client.push({"customers": [{"first_name": "Ann"}, {"external_id": ""}]}, idempotency="k")

    assert gate.rows(push_requests) == gate.rows(push_items) == gate.rows(source_records) == []
    assert gate.station.messages() == []


def test_nobody_sees_another_channels_customers(client: Client) -> None:
    """Whatever is asked for, it is looked for in the caller's channel; unknown is 404."""
    client.push(ANN)

    assert client.status("4712").status_code == 404
    assert client.status("4711", key="x" * 40).status_code == 401
    assert client.status("00000000-0000-0000-0000-000000000000").status_code == 404
