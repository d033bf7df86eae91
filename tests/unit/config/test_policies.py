"""From settings to the policy, and the version that is recorded with every decision."""

from pathlib import Path

from shared.config import load_settings, policy_of
from shared.domain.customer import CustomerKind, Entity
from shared.domain.match_rules import DEFAULT_MATCHING, DirectoryKey, MatchBy, MatchRule
from shared.domain.ownership import BlankPolicy, FieldRule, Owner
from shared.domain.policy import ContactPolicy, GuestPolicy
from tests.unit.config.builders import CONFIGURATION, a_file, changed


def version(place: Path, text: str) -> str:
    """Return the version of the policy that a configuration makes."""
    return policy_of(load_settings(a_file(place, text), {})).version


def test_the_version_changes_with_what_decisions_depend_on(tmp_path: Path) -> None:
    """A template value, a rule, a processing method: each makes another version."""
    texts = [
        CONFIGURATION,
        changed(("NET30", "NET14")),
        changed(('code = "fr"', 'code = "fr"\nprocessing_method = "none"')),
        CONFIGURATION + '[[matching]]\nby = "email"\n',
    ]

    versions = {version(tmp_path, text) for text in texts}

    assert len(versions) == len(texts)


def test_the_version_stays_when_servers_and_credentials_change(tmp_path: Path) -> None:
    """Another password or log level decides nothing."""
    text = changed(('token = "hunter2-of-the-shop"', 'token = "another"'))

    versions = {version(tmp_path, CONFIGURATION), version(tmp_path, text + '[logs]\nlevel="error"')}

    assert len(versions) == 1


def test_rules_given_replace_the_default_order(tmp_path: Path) -> None:
    """Without [[matching]] the usual four rules hold, with it only those given."""
    rules = '[[matching]]\nby = "tax_id"\nalready_linked = "link"\n'

    usual = policy_of(load_settings(a_file(tmp_path), {}))
    own = policy_of(load_settings(a_file(tmp_path, CONFIGURATION + rules), {}))

    assert usual.matching == DEFAULT_MATCHING
    assert own.matching == (MatchRule(MatchBy.TAX_ID, "link"),)


def test_a_rule_by_custom_data_says_what_it_is_looked_up_as(tmp_path: Path) -> None:
    """XPR-12: the field of the shop, the key of the directory, and for whom."""
    rule = (
        '[[matching]]\nby = "attribute"\nname = "navision_no"\nfield = "customer_number"\n'
        'channels = ["shop"]\nkinds = ["business"]\nscope = "store_group"\n'
    )

    policy = policy_of(load_settings(a_file(tmp_path, CONFIGURATION + rule), {}))

    assert policy.matching == (
        MatchRule(
            MatchBy.ATTRIBUTE,
            name="navision_no",
            key=DirectoryKey.CUSTOMER_NUMBER,
            channels=frozenset({"shop"}),
            kinds=frozenset({CustomerKind.BUSINESS}),
            scope="store_group",
        ),
    )


def test_a_channels_own_fields_lie_over_those_of_all(tmp_path: Path) -> None:
    """NEW-6: the rule of a channel goes before the general one for the same name."""
    rules = (
        '[fields.email]\nowner = "erp"\n[fields.names]\nblank = "clear"\n'
        '[channels.shop.fields.email]\nowner = "newest"\n'
    )
    text = changed(("[channels.shop]", f"{rules}[channels.shop]"))

    ownership = policy_of(load_settings(a_file(tmp_path, text), {})).ownership("shop")

    assert ownership.rule("email") == FieldRule(Owner.NEWEST)
    assert ownership.rule("first_name") == FieldRule(Owner.PLATFORM, BlankPolicy.CLEAR)
    assert ownership.rule("phone") == FieldRule()


def test_store_views_have_groups_and_a_policy_for_guests(tmp_path: Path) -> None:
    """ASK-3, ASK-16: both are the store view's own."""
    text = changed(
        (
            'code = "fr"',
            'code = "fr"\nstore_group = "south"\nguests = "collect"\nguest_customer = "C1"',
        )
    )

    policy = policy_of(load_settings(a_file(tmp_path, text), {}))

    view = policy.store_view("shop", "fr")
    assert view is not None
    assert (view.guests, view.guest_customer) == (GuestPolicy.COLLECT, "C1")
    assert (policy.store_group("shop", "de"), policy.store_group("shop", "fr")) == (
        "default",
        "south",
    )


def test_what_is_said_of_companies_reaches_the_decisions(tmp_path: Path) -> None:
    """MYOB-2, MYOB-6: locations, features, values of locations, and whose contacts' orders are."""
    text = changed(
        ('values = { terms = "NET30" }', 'location_values = { route = "PARCEL" }'),
        ('code = "fr"', 'code = "fr"\ncompany_contacts = "company"'),
        ("remote = { store_id = 2, website_id = 1 }", 'remote = { entity = "companies" }'),
    )
    tables = (
        '[erp]\nlocations = "all"\nrequired_location_values = ["route"]\n'
        "[features]\nbusiness_accounts = false\n"
    )

    policy = policy_of(load_settings(a_file(tmp_path, text + tables), {}))

    view = policy.store_view("shop", "fr")
    assert view
    assert (view.company_contacts, view.reads_companies) == (ContactPolicy.COMPANY, True)
    assert policy.templates[0].location_values == {"route": "PARCEL"}
    assert policy.required_location_values == ("route",)
    assert policy.has_locations(Entity.ACCOUNT)
    assert not policy.takes_companies


def test_by_default_companies_are_taken_in_with_locations(tmp_path: Path) -> None:
    """MYOB-6: both features are on, and the addresses of persons are addresses."""
    policy = policy_of(load_settings(a_file(tmp_path), {}))

    assert policy.takes_companies
    assert policy.has_locations(Entity.COMPANY)
    assert not policy.has_locations(Entity.ACCOUNT)
