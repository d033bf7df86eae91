"""`patron config`: what operators ask before anything runs."""

from pathlib import Path

import jsonschema
import pytest

from tests.unit.config.builders import CONFIGURATION, SECRET, a_file, changed
from tests.unit.console.runner import Patron

WITH_SERVERS = f"""{CONFIGURATION}
[database]
url = "postgresql://patron:{SECRET}@db.example:5433/patron?sslpassword={SECRET}"
[broker]
url = "amqp://patron:{SECRET}@mq.example/%2F"
management_url = "https://admin:{SECRET}@mq.example:15671"
"""


def test_check_says_what_is_set_up(patron: Patron, tmp_path: Path) -> None:
    """Store views and templates are listed, so that the operator sees what was understood."""
    a_file(tmp_path)

    answer = patron("config", "check")

    assert answer.code == 0
    assert "patron.toml: valid" in answer.out
    assert "shop      magento    fr" in answer.out
    assert "standard   always   D00001" in answer.out
    assert answer.err == ""


def test_check_names_every_mistake_and_no_value(patron: Patron, tmp_path: Path) -> None:
    """One line each, file: key: what is allowed; nothing on standard output (XPR-1)."""
    text = changed(
        ('platform = "magento"', 'platform = "magento"\ncolour = 1'),
        (f'token = "{SECRET}"', f"token = 5\nextra = '{SECRET}'".replace("\n", ", ")),
        ('number_series = "debtors"', 'number_series = "creditors"'),
    )
    a_file(tmp_path, text)

    answer = patron("config", "check")

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "patron.toml: channels.shop.colour: there is no such key",
        "patron.toml: templates.0.number_series: names no series; configured are debtors",
        "patron.toml: channels.shop.connector.auth.token: should be a valid string",
        "patron.toml: channels.shop.connector.auth.extra: there is no such key",
    ]


def test_check_tells_programs_the_same(patron: Patron, tmp_path: Path) -> None:
    """As JSON on standard output, for valid and for invalid configurations."""
    a_file(tmp_path)

    valid = patron("config", "check", "--output", "json")
    invalid = patron(
        "-c", a_file(tmp_path, "[logs]\nx=1", "b.toml"), "config", "check", "-o", "json"
    )

    assert (valid.code, valid.json["valid"]) == (0, True)
    assert [view["code"] for view in valid.json["store_views"]] == ["de", "fr"]
    assert invalid.code == 2
    assert invalid.json["problems"] == [
        {"origin": "b.toml", "key": "logs.x", "text": "there is no such key"}
    ]


def test_check_advises_on_what_is_probably_not_meant(patron: Patron, tmp_path: Path) -> None:
    """Valid, but nobody would get a number, or a template is never chosen."""
    head, _, rest = CONFIGURATION.partition("[channels.shop]")
    second = '[[templates]]\nname = "late"\nnumber_series = "debtors"\n'
    without = "[channels.shop]" + rest

    unreachable = patron("-c", a_file(tmp_path, head + second + without), "config", "check")
    untemplated = patron("-c", a_file(tmp_path, without), "config", "check")
    empty = patron("-c", a_file(tmp_path, ""), "config", "check")

    assert "template standard is for everybody, so these are never chosen: late" in unreachable.out
    assert "every new customer will be held (no_template)" in untemplated.out
    assert "no channel is configured" in empty.out


def test_check_tries_the_templates_for_each_country(patron: Patron, tmp_path: Path) -> None:
    """NEW-15, C365-4: a gap names store view, country, kind and what is missing; exit code 1."""
    text = changed(
        ('code = "de"', 'code = "de"\ncountries = ["DE", "AT"]'),
        ('name = "standard"', 'name = "standard"\nwhen = \'country == "DE" || country == "FR"\''),
    )
    a_file(tmp_path, f'[erp]\nrequired_values = ["terms", "zone"]\n{text}')

    table = patron("config", "check")
    tree = patron("config", "check", "--output", "json")

    assert (table.code, tree.code) == (1, 1)
    lines = [" ".join(line.split()) for line in table.out.splitlines()]
    assert "shop de DE individual standard zone" in lines
    assert "shop de AT business with tax id none fits a template" in lines
    assert "note: templates are not tried for shop/fr: give countries to have that checked" in lines
    gaps = [trial for trial in tree.json["trials"] if trial["is_gap"]]
    assert {(gap["country"], gap["template"], *gap["missing"]) for gap in gaps} == {
        ("DE", "standard", "zone"),
        ("AT", None),
    }


def test_check_shows_where_numbers_come_from(patron: Patron, tmp_path: Path) -> None:
    """A template may take the platform's number instead of drawing one."""
    source = 'number_from = "attributes.old_number"\nnumber_prefix = "S"'
    a_file(tmp_path, changed(('number_series = "debtors"', source)))

    answer = patron("config", "check")

    assert answer.code == 0
    assert "S<attributes.old_number>" in answer.out


def test_a_rule_for_a_channel_that_is_not_there_is_refused(patron: Patron, tmp_path: Path) -> None:
    """NEW-15: it would never apply; the answer names the channels there are."""
    rule = '[[matching]]\nby = "email"\nchannels = ["shop", "shpo"]\n'
    a_file(tmp_path, rule + CONFIGURATION)

    answer = patron("config", "check")

    assert answer.code == 2
    assert answer.err == (
        "error: patron.toml: matching.0.channels.1: 'shpo' is no channel; configured are shop\n"
    )


def test_show_prints_every_value_with_its_origin_and_no_secret(
    patron: Patron, tmp_path: Path
) -> None:
    """File, environment or default; passwords are stars, also in URLs and their queries."""
    a_file(tmp_path, WITH_SERVERS)

    table = patron("config", "show")
    tree = patron("config", "show", "--output", "json")

    lines = {line.split()[0]: line.split()[1:] for line in table.out.splitlines() if line}
    assert lines["broker.url"] == ["amqp://patron:***@mq.example/%2F", "patron.toml"]
    assert lines["logs.level"] == ["info", "default"]
    assert lines["channels.shop.connector.auth.token"] == ["***", "patron.toml"]
    assert lines["channels.shop.store_views.1.remote.store_id"] == ["2", "patron.toml"]
    assert tree.json["database"]["url"] == (
        "postgresql://patron:***@db.example:5433/patron?sslpassword=***"
    )
    assert SECRET not in table.out + table.err + tree.out + tree.err


def test_show_names_the_environment(
    patron: Patron, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a variable sets is not looked for in the file."""
    a_file(tmp_path)
    monkeypatch.setenv("PATRON_LOGS__LEVEL", "debug")

    table = patron("config", "show").out

    assert next(line.split() for line in table.splitlines() if "logs.level" in line) == [
        *("logs.level", "debug", "environment"),
    ]


def test_the_schema_is_a_json_schema(patron: Patron) -> None:
    """It is valid itself, and finds what `config check` would find."""
    schema = patron("config", "schema").json

    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = {"logs": {"level": "loud", "colour": 1}, "channels": {"shop": {"platform": "magento"}}}
    assert len(list(validator.iter_errors(wrong))) >= 3


def test_the_schema_allows_secrets_in_files(patron: Patron) -> None:
    """`token_file` stands for `token`, and one of both is required."""
    validator = jsonschema.Draft202012Validator(patron("config", "schema").json)

    def problems(**auth: str) -> int:
        views = [{"code": "de", "remote": {"store_id": 1, "website_id": 1}}]
        connector = {"base_url": "https://shop.example", "auth": {"kind": "bearer", **auth}}
        shop = {"platform": "magento", "connector": connector, "store_views": views}
        return len(list(validator.iter_errors({"channels": {"shop": shop}})))

    assert problems(token="x") == problems(token_file="/run/secrets/token") == 0
    assert problems() > 0


def test_provisioning_can_be_looked_at_first(patron: Patron, tmp_path: Path) -> None:
    """`--dry-run` prints exchanges, queues, bindings and policies, and connects nowhere."""
    a_file(tmp_path, WITH_SERVERS)

    answer = patron("broker", "provision", "--dry-run")
    tree = patron("broker", "provision", "--dry-run", "--output", "json").json

    assert answer.code == 0
    assert "patron.customers (topic, durable)" in answer.out
    assert "patron.customers -- customer.export.shop -> patron.exporter.shop" in answer.out
    assert "delivery-limit = 100" in answer.out
    assert "patron.exporter.shop" in tree["queues"]


def test_the_embedded_broker_needs_no_provisioning(patron: Patron) -> None:
    """Saying so is success."""
    answer = patron("broker", "provision")

    assert answer.code == 0
    assert "needs no provisioning" in answer.out


def test_a_worker_alone_is_refused_without_a_shared_broker(patron: Patron) -> None:
    """Its messages would reach nobody."""
    answer = patron("run", "importer")

    assert answer.code == 2
    assert "memory://" in answer.err
    assert "patron up" in answer.err
