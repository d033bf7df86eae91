"""Reading settings: file, environment, secret files, and every problem at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.config import ConfigurationInvalid, Settings, load_settings
from tests.unit.config.builders import SECRET, a_file, changed

NOTHING: Mapping[str, str] = {}


def problems(path: Path | None, environment: Mapping[str, str] = NOTHING) -> list[str]:
    """Return what is told of a configuration that cannot be used."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(path, environment)
    return [str(problem) for problem in caught.value.problems]


def database_of(settings: Settings) -> str:
    """Return the URL of the database."""
    return settings.database.url.get_secret_value()


def test_without_file_and_environment_patron_runs_in_one_process() -> None:
    """The defaults need no server."""
    settings = load_settings(None, NOTHING)

    assert database_of(settings) == "sqlite:///.patron/patron.db"
    assert settings.broker.url.get_secret_value() == "memory://"


def test_every_problem_is_named_at_once_with_its_key(tmp_path: Path) -> None:
    """Wrong values, unknown keys, missing keys and bad references come in one answer (XPR-1)."""
    path = a_file(
        tmp_path,
        changed(
            ('prefix = "D"', "width = 0"),
            ('number_series = "debtors"', 'number_series = "creditors"\nwhen = \'contry == "DE"\''),
            ('platform = "magento"', 'platform = "magento"\nadditional_data = {a = "values.b"}'),
            ('code = "fr"', 'code = "fr"\nprocessing_method = "sometimes"\ncolour = 1'),
        )
        + '[logs]\nlevel = "loud"\n',
    )

    found = problems(path)

    assert found == [
        "patron.toml: logs.level: should be 'debug', 'info', 'warning' or 'error'",
        (
            "patron.toml: templates.0.when: unknown name 'contry'; known are channel, store_view,"
            " kind, country, region, group, currency, language, has_tax_id, entity, company_name,"
            " locations"
        ),
        "patron.toml: number_series.debtors.width: should be greater than or equal to 1",
        (
            "patron.toml: channels.shop.store_views.1.processing_method: should be 'none',"
            " 'update', 'create' or 'create_and_update'"
        ),
        "patron.toml: channels.shop.store_views.1.colour: there is no such key",
        "patron.toml: templates.0.number_series: names no series; configured are debtors",
        (
            "patron.toml: channels.shop.additional_data.a: 'values.b' is not among template,"
            " values.terms"
        ),
    ]


def test_problems_never_show_a_value(tmp_path: Path) -> None:
    """What stands in the wrong place may be a secret."""
    text = changed(
        ('kind = "bearer"', f'kind = "{SECRET}"'), ('code = "fr"', f'code = "{SECRET}!"')
    )
    path = a_file(tmp_path, f'{text}\n[database]\nurl = "mysql://u:{SECRET}@h/d"\n')

    found = problems(path, {"PATRON_PROCESSOR__BATCH_SIZE": SECRET})

    assert len(found) == 3
    assert SECRET not in "\n".join(found)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """PATRON_SECTION__KEY beats DATABASE_URL, which beats the file, which beats the default."""
    path = a_file(tmp_path, '[database]\nurl = "sqlite:///file.db"\n[logs]\nlevel = "debug"\n')
    alias = {"DATABASE_URL": "postgresql://alias/db"}

    from_file = load_settings(path, NOTHING)
    from_alias = load_settings(path, alias)
    from_name = load_settings(path, {**alias, "PATRON_DATABASE__URL": "postgresql://name/db"})

    assert database_of(from_file) == "sqlite:///file.db"
    assert database_of(from_alias) == "postgresql://alias/db"
    assert database_of(from_name) == "postgresql://name/db"
    assert from_name.logs.level == "debug"


def test_the_environment_reaches_into_lists(tmp_path: Path) -> None:
    """A number in a variable's name is a position."""
    path = a_file(tmp_path)

    settings = load_settings(path, {"PATRON_CHANNELS__SHOP__STORE_VIEWS__1__IMPORT": "false"})

    views = settings.channels["shop"].store_views
    assert [view.import_enabled for view in views] == [True, False]


def test_a_problem_of_the_environment_says_so() -> None:
    """Whoever set the variable must not look for the mistake in the file."""
    found = problems(None, {"PATRON_LOGS__LEVEL": "loud", "PATRON_LOGS__COLOUR": "1"})

    assert found == [
        "environment: logs.level: should be 'debug', 'info', 'warning' or 'error'",
        "environment: logs.colour: there is no such key",
    ]


@pytest.mark.parametrize("name", ["PATRON_CONFIG", "PATRON_HOME", "PATRON_TEST_AMQP__URL", "PATH"])
def test_variables_that_are_no_settings_are_passed_over(name: str) -> None:
    """Only PATRON_SECTION__KEY is read."""
    assert load_settings(None, {name: "anything"}) == load_settings(None, NOTHING)


def test_a_value_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    """`url_file` gives `url`, without the line break at the end, in file and environment."""
    secret = a_file(tmp_path, "postgresql://secret/db\n", "database_url")
    path = a_file(tmp_path, f'[database]\nurl_file = "{secret}"\n')

    in_file = load_settings(path, NOTHING)
    in_environment = load_settings(None, {"PATRON_DATABASE__URL_FILE": str(secret)})

    assert database_of(in_file) == database_of(in_environment) == "postgresql://secret/db"


def test_a_value_in_the_environment_beats_a_file_named_in_the_file(tmp_path: Path) -> None:
    """Precedence holds across `url` and `url_file`, both ways."""
    secret = a_file(tmp_path, "postgresql://secret/db", "database_url")
    with_file = a_file(tmp_path, f'[database]\nurl_file = "{secret}"\n')
    with_value = a_file(tmp_path, '[database]\nurl = "sqlite:///file.db"\n', "other.toml")

    value_above = load_settings(with_file, {"PATRON_DATABASE__URL": "postgresql://above/db"})
    file_above = load_settings(with_value, {"PATRON_DATABASE__URL_FILE": str(secret)})

    assert database_of(value_above) == "postgresql://above/db"
    assert database_of(file_above) == "postgresql://secret/db"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "the file cannot be read (FileNotFoundError)"),
        (" \n", "the file is empty"),
    ],
)
def test_a_secret_file_that_gives_nothing_is_named_once(
    tmp_path: Path, content: str | None, what: str
) -> None:
    """That the key is missing then needs no saying."""
    secret = tmp_path / "series"
    if content is not None:
        secret.write_text(content, encoding="utf-8")
    path = a_file(
        tmp_path, changed(('number_series = "debtors"', f'number_series_file = "{secret}"'))
    )

    assert problems(path) == [f"patron.toml: templates.0.number_series_file: {what}"]


@pytest.mark.parametrize(
    ("text", "what"),
    [("[logs", "patron.toml: is not TOML"), (None, "patron.toml: there is no such file")],
)
def test_a_file_that_cannot_be_read_is_one_problem(
    tmp_path: Path, text: str | None, what: str
) -> None:
    """Missing and broken files are told apart."""
    path = tmp_path / "patron.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    (found,) = problems(path)

    assert found.startswith(what)


@pytest.mark.parametrize(
    ("key", "url", "what"),
    [
        ("DATABASE__URL", "mysql://host/db", "database.url: must start with postgresql://"),
        ("DATABASE__URL", "patron.db", "database.url: must start with postgresql://"),
        ("DATABASE__URL", "postgresql://u:p/w@h/db", "database.url: cannot be read as a URL"),
        ("BROKER__URL", "localhost", "broker.url: must start with amqp://"),
        ("BROKER__MANAGEMENT_URL", "host:15672", "broker.management_url: must start with https://"),
    ],
)
def test_urls_are_checked_before_anything_connects(key: str, url: str, what: str) -> None:
    """A typing error in an address is found offline, and not repeated."""
    (found,) = problems(None, {f"PATRON_{key}": url})

    assert found.startswith(f"environment: {what}")
    assert url not in found


def test_a_plain_date_begins_at_midnight_utc(tmp_path: Path) -> None:
    """A start date needs no time and no zone."""
    path = a_file(tmp_path, changed(('code = "fr"', 'code = "fr"\nstart_date = 2026-03-01')))

    views = load_settings(path, NOTHING).channels["shop"].store_views

    assert views[1].start_date == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_store_view_given_twice_is_refused(tmp_path: Path) -> None:
    """Two tables of one code would be one cursor."""
    path = a_file(tmp_path, changed(('code = "fr"', 'code = "de"')))

    assert problems(path) == ["patron.toml: channels.shop: store_views: code 'de' is given twice"]


def test_names_given_twice_are_refused(tmp_path: Path) -> None:
    """Of two templates of one name nobody could tell which was chosen."""
    again = '[[templates]]\nname = "standard"\nnumber_series = "debtors"\n'
    path = a_file(tmp_path, changed(("[channels.shop]", f"{again}\n[channels.shop]")))

    assert problems(path) == ["patron.toml: templates.1.name: 'standard' is given twice"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            ('prefix = "D"', 'prefix = "D"\n[[matching]]\nby = "attribute"\nname = "ref"'),
            "matching.0: by = 'attribute' needs name (of the attribute) and field",
            id="custom-rule-without-field",
        ),
        pytest.param(
            ('prefix = "D"', 'prefix = "D"\n[[matching]]\nby = "email"\nfield = "phone"'),
            "matching.0: name and field are for attribute, metafield and form_field only",
            id="field-of-a-plain-rule",
        ),
        pytest.param(
            ('number_series = "debtors"', ""),
            "templates.0: needs number_series or number_from, one of them",
            id="no-source-of-numbers",
        ),
        pytest.param(
            ('number_series = "debtors"', 'number_from = "attribute.x"'),
            "templates.0.number_from: ",
            id="unknown-source-of-numbers",
        ),
        pytest.param(
            ('code = "fr"', 'code = "fr"\nguests = "collect"'),
            'channels.shop.store_views.1: guests = "collect" and guest_customer go together',
            id="collect-into-nobody",
        ),
        pytest.param(
            ('code = "fr"', 'code = "fr"\npoll_cron = "every day"'),
            "channels.shop.store_views.1.poll_cron: is no cron expression",
            id="cron",
        ),
        pytest.param(
            ('prefix = "D"', 'prefix = "D"\n[importer]\ntimezone = "Berlin"'),
            "importer.timezone: is no time zone, such as Europe/Berlin",
            id="time-zone",
        ),
        pytest.param(
            ('prefix = "D"', 'prefix = "D"\n[fields.e_mail]\nowner = "erp"'),
            "is no field; known are",
            id="field",
        ),
        pytest.param(
            ('prefix = "D"', 'prefix = "D"\n[privacy]\nkey = "short"'),
            "privacy.key: must have at least 32 characters",
            id="short-key",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_key(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    """Each table says itself what it needs, in words."""
    [found] = problems(a_file(tmp_path, changed(change)))

    assert found.startswith(f"patron.toml: {problem}") or problem in found
