"""An installation: settings and each connector's own, validated together."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.config import ConfigurationInvalid
from shared.connectors.push.settings import PushSettings
from shared.connectors.registry import PLATFORMS
from shared.runtime.installation import configuration_path, load_installation
from tests.unit.config.builders import SECRET, a_file, changed

VIEW = {"code": "crm"}
KEY, OTHER = "k" * 32, "o" * 32
SLOW = "timeouts = { total_seconds = 90 }"
PUSHED = f"""
[channels.crm]
platform = "push"
store_views = [{{ code = "crm" }}]
[channels.crm.connector]
api_keys = ["{KEY}"]
"""
CALLBACK = f"""
[channels.crm.connector.callback]
url = "https://crm.example"
secret = "{OTHER}"
timeouts = {{ total_seconds = 120 }}
"""


def problems(path: Path, environment: dict[str, str] | None = None) -> list[str]:
    """Return what is told of an installation that cannot be used."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load_installation(path, environment or {})
    return [str(problem) for problem in caught.value.problems]


def test_an_installation_knows_its_channels_and_queues(tmp_path: Path) -> None:
    """Each channel has its connector's settings and a queue of its own."""
    installation = load_installation(a_file(tmp_path), {})

    assert list(installation.connectors) == ["shop"]
    assert "patron.exporter.shop" in installation.topology.queues


@pytest.mark.parametrize(
    ("channels", "seconds"),
    [
        (changed(("[channels.shop.connector]", "[channels.shop.connector]\n" + SLOW)), 90),
        (changed() + PUSHED, 30),
        (changed() + PUSHED + CALLBACK, 120),
    ],
    ids=["a slow shop", "nobody is called", "a callback"],
)
def test_an_installation_knows_how_long_a_call_may_take(
    tmp_path: Path, channels: str, seconds: float
) -> None:
    """The longest of all: a loop that is silent for twice that hangs."""
    assert load_installation(a_file(tmp_path, channels), {}).longest_call_seconds == seconds


def test_problems_of_a_connector_come_with_all_others_at_the_keys_of_the_file(
    tmp_path: Path,
) -> None:
    """What the connector refuses is told where the operator wrote it, together with the rest."""
    text = changed(
        (f'kind = "bearer", token = "{SECRET}"', 'kind = "oauth1", consumer_key = 5'),
        ('base_url = "https://shop.example"', 'base_url = "shop.example"\ncolour = 1'),
        ("store_id = 2", 'store_id = "two"'),
        ('prefix = "D"', "width = 0"),
    )

    found = problems(a_file(tmp_path, text))

    connector = "patron.toml: channels.shop.connector"
    assert found == [
        "patron.toml: number_series.debtors.width: should be greater than or equal to 1",
        f"{connector}.base_url: must start with https:// and name a host",
        f"{connector}.auth.consumer_key: should be a valid string",
        f"{connector}.auth.consumer_secret: is missing",
        f"{connector}.auth.access_token: is missing",
        f"{connector}.auth.access_token_secret: is missing",
        (
            "patron.toml: channels.shop.store_views.1.remote.store_id: should be a valid integer,"
            " unable to parse string as an integer"
        ),
        f"{connector}.colour: there is no such key",
    ]


def test_a_secret_file_that_is_missing_is_not_also_a_missing_key(tmp_path: Path) -> None:
    """The connector's complaint would say the same again."""
    text = changed((f'token = "{SECRET}"', 'token_file = "/nowhere/token"'))

    assert problems(a_file(tmp_path, text)) == [
        (
            "patron.toml: channels.shop.connector.auth.token_file: the file cannot be read"
            " (FileNotFoundError)"
        )
    ]


def test_a_connector_is_configured_by_the_environment_too(tmp_path: Path) -> None:
    """Credentials need not stand in the file, and problems name the environment then."""
    text = changed((f'auth = {{ kind = "bearer", token = "{SECRET}" }}', ""))
    auth = "PATRON_CHANNELS__SHOP__CONNECTOR__AUTH__"

    installation = load_installation(
        a_file(tmp_path, text), {f"{auth}KIND": "bearer", f"{auth}TOKEN": SECRET}
    )
    found = problems(a_file(tmp_path), {"PATRON_CHANNELS__SHOP__CONNECTOR__PAGE_SIZE": "0"})

    assert SECRET not in repr(installation.connectors["shop"])
    assert found == [
        "environment: channels.shop.connector.page_size: should be greater than or equal to 1"
    ]


def test_an_unknown_platform_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    """The channel's platform is named, whatever else is wrong."""
    text = changed(('platform = "magento"', 'platform = "magneto"'))

    assert problems(a_file(tmp_path, text)) == [
        "patron.toml: channels.shop.platform: no platform 'magneto'; known are "
        + ", ".join(sorted(PLATFORMS))
    ]


def test_a_channel_without_store_views_is_one_problem(tmp_path: Path) -> None:
    """The connector is not asked about a channel that is not whole."""
    head = changed().partition("[[channels.shop.store_views]]")[0]

    assert problems(a_file(tmp_path, head)) == [
        "patron.toml: channels.shop.store_views: is missing"
    ]


def test_a_channel_must_not_be_called_dead(tmp_path: Path) -> None:
    """Its queue would look like one of dead letters."""
    text = changed(("channels.shop", "channels.dead"))

    (found,) = problems(a_file(tmp_path, text))

    assert found.startswith("patron.toml: channels: channel name 'dead'")


def test_the_file_is_the_one_given_then_the_one_named_then_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config` beats PATRON_CONFIG, which beats patron.toml in the directory."""
    monkeypatch.chdir(tmp_path)
    named = {"PATRON_CONFIG": "named.toml"}

    assert configuration_path(None, {}) is None
    a_file(tmp_path)
    assert configuration_path(None, {}) == Path("patron.toml")
    assert configuration_path(None, named) == Path("named.toml")
    assert configuration_path(Path("given.toml"), named) == Path("given.toml")


def test_webhooks_of_a_platform_that_sends_none_are_refused(tmp_path: Path) -> None:
    """Nobody waits for what never comes."""
    text = changed(
        (
            "[channels.shop.connector]",
            'webhooks = { keys = ["0123456789abcdef"] }\n\n[channels.shop.connector]',
        )
    )

    assert problems(a_file(tmp_path, text)) == [
        "patron.toml: channels.shop.webhooks: magento sends no webhooks that Patron could read"
    ]


def test_keys_are_a_list_or_one_on_each_line(tmp_path: Path) -> None:
    """As a file of secrets or the environment gives them; short ones are refused unseen."""
    listed = PushSettings.model_validate({"store_views": [VIEW], "api_keys": [KEY, OTHER]})
    lines = PushSettings.model_validate({"store_views": [VIEW], "api_keys": f"{KEY}\n{OTHER}\n"})

    assert listed == lines
    assert KEY not in repr(listed)
    with pytest.raises(ValidationError) as caught:
        PushSettings.model_validate({"store_views": [VIEW], "api_keys": "short-key"})
    assert "short-key" not in str(caught.value)


def test_channels_do_not_share_an_api_key(tmp_path: Path) -> None:
    """It says which channel somebody pushes to."""
    channel = f"""
[channels.{{name}}]
platform = "push"
store_views = [{{{{ code = "crm" }}}}]
connector = {{{{ api_keys = ["{KEY}"] }}}}
"""
    text = "".join(channel.format(name=name) for name in ("one", "two"))

    [problem] = problems(a_file(tmp_path, text))
    assert problem.startswith("patron.toml: channels.two.connector.api_keys: channel one has one")
    assert KEY not in problem
