"""From settings to the policy, and the version that is recorded with every decision."""

from pathlib import Path

from shared.config import load_settings, policy_of
from shared.domain.policy import DEFAULT_MATCHING, MatchBy, MatchRule
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
