"""Writing customers and their addresses: what is refused, kept, cleared and lost."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import address_gid, customer_gid
from tests.unit.sandbox.shopify.asking import CREATE, CUSTOMER, SET_METAFIELDS, UPDATE, Asking

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SET = """
mutation CustomerSet($identifier: CustomerSetIdentifiers, $input: CustomerSetInput!) {
  customerSet(identifier: $identifier, input: $input) {
    customer { id lastName } userErrors { field message code }
  }
}
"""
BY = """
query By($identifier: CustomerIdentifierInput!) {
  customerByIdentifier(identifier: $identifier) { id }
}
"""
ADD_ADDRESS = """
mutation Add($id: ID!, $address: MailingAddressInput!, $default: Boolean) {
  customerAddressCreate(customerId: $id, address: $address, setAsDefault: $default) {
    address { id address1 provinceCode country } userErrors { field message }
  }
}
"""
EDIT_ADDRESS = """
mutation Edit($id: ID!, $address_id: ID!, $address: MailingAddressInput!) {
  customerAddressUpdate(customerId: $id, addressId: $address_id, address: $address) {
    address { id address1 city } userErrors { field message }
  }
}
"""
DELETE = """
mutation Delete($id: ID!) {
  customerDelete(input: {id: $id}) { deletedCustomerId shop { name } userErrors { field message } }
}
"""


def test_a_customer_is_created_and_read_back(shop: SandboxShopify, ask: Asking) -> None:
    """With everything an input may hold; tags come back in order, the phone in E.164."""
    shop.control.freeze_clock(NOON)
    new = ask(
        CREATE,
        input={
            "email": " ann@example.com ",
            "firstName": "Ann",
            "lastName": "New",
            "phone": "+49 (40) 555-010203",
            "locale": "en",
            "tags": ["zeta", "ERP", "erp"],
            "emailMarketingConsent": {"marketingState": "SUBSCRIBED"},
            "metafields": [
                {"namespace": "erp", "key": "customer_number", "type": "id", "value": "D-1"}
            ],
        },
    )["customer"]

    read = ask(CUSTOMER, id=new["id"])

    assert read["updatedAt"] == "2026-11-20T12:00:00Z"
    assert (read["email"], read["phone"]) == ("ann@example.com", "+4940555010203")
    assert read["tags"] == ["ERP", "zeta"]
    assert read["defaultEmailAddress"]["marketingState"] == "SUBSCRIBED"
    assert read["metafield"]["value"] == "D-1"
    assert [each.origin for each in shop.control.writes(new["id"])] == ["api"]


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({}, None, "A name, phone number, or email address must be present"),
        ({"email": "TAKEN"}, ["email"], "Email has already been taken"),
        ({"email": "nonsense"}, ["email"], "Email is invalid"),
        ({"phone": "040 555"}, ["phone"], "Phone is invalid"),
        ({"firstName": "x" * 256}, ["firstName"], "First name is too long"),
        ({"id": customer_gid(1), "firstName": "A"}, ["id"], "Cannot specify ID on creation"),
    ],
)
def test_what_is_refused_changes_nothing(
    shop: SandboxShopify,
    ask: Asking,
    given: dict[str, Any],
    field: list[str] | None,
    message: str,
) -> None:
    """HTTP 200, no top-level error, a null customer, and the reason in `userErrors`."""
    if given.get("email") == "TAKEN":
        given = {"email": shop.control.customer(5)["email"].upper()}

    answer = ask(CREATE, input=given)

    assert answer["customer"] is None
    assert answer["userErrors"][0]["field"] == field
    assert message in answer["userErrors"][0]["message"]
    assert shop.control.customer_count() == 80


def test_a_refusal_is_not_seen_by_who_does_not_ask(ask: Asking) -> None:
    """Without `userErrors` in the selection a refused write looks like an empty success."""
    document = 'mutation { customerCreate(input: {email: "x"}) { customer { id } } }'

    assert ask(document) == {"customer": None}


def test_a_taken_phone_may_be_called_invalid(shop: SandboxShopify, ask: Asking) -> None:
    """Both wordings exist."""
    shop.control.register(phone="+4940555010203")
    given = {"firstName": "A", "phone": "+4940555010203"}

    usual = ask(CREATE, input=given)["userErrors"]
    shop.control.set_quirks(duplicate_phone_is_invalid=True)
    other = ask(CREATE, input=given)["userErrors"]

    assert usual == [{"field": ["phone"], "message": "Phone has already been taken"}]
    assert other == [{"field": ["phone"], "message": "Phone is invalid"}]


def test_an_update_keeps_what_was_not_sent(shop: SandboxShopify, ask: Asking) -> None:
    """Empty text clears, tags are replaced whole, the change time moves."""
    shop.control.edit_customer(3, note="old", tags=["a", "b"])
    before = shop.control.customer(3)
    shop.control.freeze_clock(NOON)

    answer = ask(UPDATE, input={"id": customer_gid(3), "note": "", "tags": ["c"]})

    assert answer["userErrors"] == []
    after = shop.control.customer(3)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"note", "tags", "updatedAt"}
    assert (after["note"], after["tags"]) == (None, ["c"])
    assert after["updatedAt"] == "2026-11-20T12:00:00Z"


def test_null_may_clear_or_not(shop: SandboxShopify, ask: Asking) -> None:
    """It is not known, so it is a switch."""
    shop.control.edit_customer(3, note="old")
    shop.control.set_quirks(null_clears=False)
    ask(UPDATE, input={"id": customer_gid(3), "note": None})
    kept = shop.control.customer(3)["note"]

    shop.control.set_quirks(null_clears=True)
    ask(UPDATE, input={"id": customer_gid(3), "note": None})

    assert (kept, shop.control.customer(3)["note"]) == ("old", None)


def test_addresses_in_an_update_replace_the_address_book(shop: SandboxShopify, ask: Asking) -> None:
    """The trap: what is not in the list is gone, and the ids are new."""
    before = shop.control.customer(5)["addresses"]

    ask(UPDATE, input={"id": customer_gid(5), "addresses": [{"city": "Ulm"}]})

    after = shop.control.customer(5)["addresses"]
    assert [each["city"] for each in after] == ["Ulm"]
    assert not {each["id"] for each in before} & {each["id"] for each in after}


def test_consent_is_not_for_updates(ask: Asking) -> None:
    """There is a mutation of its own."""
    given = {"id": customer_gid(3), "emailMarketingConsent": {"marketingState": "SUBSCRIBED"}}

    assert ask(UPDATE, input=given)["userErrors"][0]["field"] == ["emailMarketingConsent"]


def test_an_unknown_customer_is_refused(ask: Asking) -> None:
    """By `userErrors`; a read of one is simply null, and no global id at all an error."""
    assert ask(UPDATE, input={"id": customer_gid(999)})["userErrors"][0]["field"] == ["id"]
    assert ask(CUSTOMER, id=customer_gid(999)) is None
    assert "Invalid global id" in ask.answer(CUSTOMER, id="7420000000001")["errors"][0]["message"]


def test_who_has_ordered_cannot_be_deleted(shop: SandboxShopify, ask: Asking) -> None:
    """Others can, and are gone for good."""
    shop.control.place_order(4)

    kept, gone = ask(DELETE, id=customer_gid(4)), ask(DELETE, id=customer_gid(5))

    assert kept["userErrors"][0]["field"] == ["id"]
    assert gone["deletedCustomerId"] == customer_gid(5)
    assert ask(CUSTOMER, id=customer_gid(5)) is None
    assert shop.control.customer_count() == 79


@pytest.mark.parametrize(
    ("identifier", "given", "code"),
    [
        ({"id": customer_gid(999)}, {"lastName": "N"}, "NOT_FOUND"),
        ({"email": "a@example.com"}, {"lastName": "N"}, "MISSING_FIELD_REQUIRED"),
        ({"email": "a@example.com"}, {"email": "b@example.com"}, "INPUT_MISMATCH"),
        (None, {"email": "bad"}, "INVALID"),
    ],
)
def test_an_upsert_is_refused_with_a_code(
    ask: Asking, identifier: dict[str, Any] | None, given: dict[str, Any], code: str
) -> None:
    """`customerSet` names its reasons."""
    answer = ask(SET, identifier=identifier, input=given)

    assert (answer["customer"], answer["userErrors"][0]["code"]) == (None, code)


def test_an_upsert_finds_or_creates(shop: SandboxShopify, ask: Asking) -> None:
    """By e-mail and by custom id, however often it is repeated."""
    custom = {"customId": {"namespace": "erp", "key": "customer_number", "value": "D-9"}}

    for _ in range(2):
        ask(SET, identifier=custom, input={"lastName": "Nine"})
        given = {"email": "ten@example.com", "lastName": "Ten"}
        ask(SET, identifier={"email": "ten@example.com"}, input=given)

    assert shop.control.customer_count() == 82
    assert ask(BY, identifier=custom)["id"] == customer_gid(81)
    assert ask(BY, identifier={"emailAddress": "TEN@example.com"})["id"] == customer_gid(82)
    assert ask(BY, identifier={"phoneNumber": "+49000000"}) is None
    assert ask(BY, identifier={"id": customer_gid(7)})["id"] == customer_gid(7)


def test_a_custom_id_needs_its_definition(shop: SandboxShopify, ask: Asking) -> None:
    """Without it the query is wrong, not the customer absent."""
    shop.control.remove_metafield_definition()
    custom = {"customId": {"namespace": "erp", "key": "customer_number", "value": "D-9"}}

    answer = ask.answer(BY, identifier=custom)

    assert "definition of type 'id'" in answer["errors"][0]["message"]
    assert answer["data"] == {"customerByIdentifier": None}


def test_an_address_leaves_the_time_alone(shop: SandboxShopify, ask: Asking) -> None:
    """The lie that only a sweep finds; a switch makes the platform honest."""
    before = shop.control.customer(5)["updatedAt"]
    shop.control.freeze_clock(NOON)

    added = ask(
        ADD_ADDRESS,
        id=customer_gid(5),
        address={"address1": "Weg 1", "countryCode": "DE", "provinceCode": "BY"},
        default=True,
    )["address"]
    edited = ask(EDIT_ADDRESS, id=customer_gid(5), address_id=added["id"], address={"city": "Ulm"})[
        "address"
    ]

    assert (added["provinceCode"], added["country"]) == (None, "Germany")
    assert (edited["address1"], edited["city"]) == ("Weg 1", "Ulm")
    after = shop.control.customer(5)
    assert (after["updatedAt"], after["defaultAddressId"]) == (before, added["id"])
    shop.control.set_quirks(address_moves_time=True)
    shop.control.edit_address(5, city="Bonn")
    assert shop.control.customer(5)["updatedAt"] == "2026-11-20T12:00:00Z"


def test_an_address_id_is_nothing_without_its_suffix(ask: Asking) -> None:
    """`?model_name=CustomerAddress` is a part of it."""
    bare = address_gid(5).partition("?")[0]

    answer = ask(EDIT_ADDRESS, id=customer_gid(5), address_id=bare, address={"city": "Ulm"})

    assert answer["userErrors"] == [{"field": ["addressId"], "message": "Address does not exist"}]


def test_the_default_moves_on_when_its_address_goes(shop: SandboxShopify) -> None:
    """There is a default as long as there is an address."""
    shop.control.add_address(5, address1="Weg 2")
    last = shop.control.customer(5)["addresses"][-1]["id"]
    for address in shop.control.customer(5)["addresses"][:-1]:
        shop.control.delete_address(5, address["id"])

    assert shop.control.customer(5)["defaultAddressId"] == last
    assert shop.control.delete_address(5)["defaultAddressId"] is None


def test_an_identical_address_may_be_refused(shop: SandboxShopify, ask: Asking) -> None:
    """It is not known whether it is."""
    shop.control.set_quirks(refuses_identical_address=True)
    given = {"address1": "Weg 1", "zip": "10115", "countryCode": "DE"}

    ask(ADD_ADDRESS, id=customer_gid(5), address=given)
    answer = ask(ADD_ADDRESS, id=customer_gid(5), address=given)

    assert answer["userErrors"][0]["message"] == "Address already exists"


def test_tags_are_added_and_removed_by_themselves(shop: SandboxShopify, ask: Asking) -> None:
    """Whatever their case, each once."""
    shop.control.edit_customer(3, tags=["vip"])
    add = """mutation Add($id: ID!, $tags: [String!]!) {
      tagsAdd(id: $id, tags: $tags) { node { id } }
    }"""

    ask(add, id=customer_gid(3), tags=["ERP", "VIP"])
    ask(add.replace("tagsAdd", "tagsRemove"), id=customer_gid(3), tags=["Vip"])

    assert shop.control.customer(3)["tags"] == ["ERP"]


def test_a_merge_leaves_one_of_two(shop: SandboxShopify, ask: Asking) -> None:
    """One id is gone; its number is found at the other."""
    shop.control.set_customer_number(6, "D-6")

    shop.control.merge(5, 6)

    assert ask(CUSTOMER, id=customer_gid(6)) is None
    assert shop.control.customer_number(5) == "D-6"
    custom = {"namespace": "erp", "key": "customer_number", "value": "D-6"}
    assert ask(BY, identifier={"customId": custom})["id"] == customer_gid(5)
    assert shop.control.writes(customer_gid(6))[-1].action == "merge"


def test_one_query_may_hold_many_mutations(shop: SandboxShopify, ask: Asking) -> None:
    """Each costs ten points and stands for itself: one refused, the other done."""
    document = """mutation Two($one: CustomerInput!, $two: CustomerInput!) {
      one: customerUpdate(input: $one) { customer { id } userErrors { message } }
      two: customerUpdate(input: $two) { customer { id } userErrors { message } }
    }"""

    answer = ask.answer(
        document,
        one={"id": customer_gid(1), "note": "done"},
        two={"id": customer_gid(999), "note": "no"},
    )

    assert answer["data"]["one"]["customer"] == {"id": customer_gid(1)}
    assert answer["data"]["two"]["customer"] is None
    assert answer["extensions"]["cost"]["actualQueryCost"] == 20
    assert shop.control.customer(1)["note"] == "done"


def test_the_books_name_what_changed(shop: SandboxShopify, ask: Asking) -> None:
    """And tell a write that changed nothing."""
    ask(UPDATE, input={"id": customer_gid(3), "note": "x"})
    ask(UPDATE, input={"id": customer_gid(3), "note": "x"})
    given = {"ownerId": customer_gid(3), "namespace": "erp", "key": "customer_number"}
    ask(SET_METAFIELDS, metafields=[given | {"value": "D-3"}])

    first, second, third = shop.control.writes(3)

    assert (first.changed, first.given["note"]) == (("note",), "x")
    assert second.is_identical
    assert third.changed == ("metafields",)
