"""`patron config`: check, show, and the schema for editors. Nothing here opens a connection."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import typer

from services.console.advice import advice_on
from services.console.cli.failures import EXIT_FAILED, EXIT_USAGE
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    say,
    show_json,
    show_record,
    show_rich,
    show_rows,
    table_of,
)
from services.console.redacted import redacted_url, settings_tree, shown_settings
from services.console.settings_schema import settings_schema
from shared.config import ConfigurationInvalid, Settings
from shared.domain.lint import Trial, try_templates
from shared.domain.policy import Policy, Template

app = typer.Typer(no_args_is_help=True, help="Check, show and describe the configuration.")

_VIEW_COLUMNS: Final = ("channel", "platform", "code", "import", "processing_method", "start_date")
_TEMPLATE_COLUMNS: Final = ("name", "when", "first_number", "values")
_GAP_COLUMNS: Final = ("channel", "store_view", "country", "kind", "template", "missing")


@app.command()
def check(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Validate the configuration without connecting anywhere, and say what it sets up.

    Every problem is named at once, as file: key: what is allowed; then the exit code is 2. The
    templates are tried for every store view that gives its `countries`: where a new customer
    would get none, or one that lacks what the ERP requires, the exit code is 1.
    `patron channel check` asks the shops themselves.
    """
    call = invocation(context)
    try:
        installation = call.installation
    except ConfigurationInvalid as error:
        if output is Output.TABLE:
            raise
        show_json({"valid": False, "problems": [each._asdict() for each in error.problems]})
        raise typer.Exit(EXIT_USAGE) from None
    settings, policy = installation.settings, installation.policy
    trials = try_templates(policy)
    gaps = [trial for trial in trials if trial.is_gap]
    if output is Output.JSON:
        show_json(_as_json(call, settings, policy, trials))
    else:
        _show_overview(call, settings, policy)
        _show_gaps(gaps)
    if gaps:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def show(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Print the configuration in force: every value, and where it was given.

    Secrets are never printed, nor are passwords in URLs.
    """
    call = invocation(context)
    if output is Output.JSON:
        show_json(settings_tree(call.installation))
        return
    rows = [each._asdict() for each in shown_settings(call.installation, call.given)]
    show_rows(rows, {"key": "key", "value": "value", "origin": "given in"}, output, nothing="")


@app.command()
def schema() -> None:
    """Print the JSON Schema of patron.toml, for editors that complete and check TOML.

    Save it as patron.schema.json and let the file begin with: #:schema ./patron.schema.json
    """
    show_json(settings_schema())


def _as_json(
    call: Invocation, settings: Settings, policy: Policy, trials: Iterable[Trial]
) -> dict[str, Any]:
    return {
        "valid": True,
        "origin": call.origin,
        "config_version": policy.version,
        **_servers(settings),
        "matching": [f"{rule.by.value} ({rule.already_linked})" for rule in policy.matching],
        "store_views": list(_store_views(settings)),
        "templates": list(_templates(policy)),
        "advice": advice_on(settings),
        "trials": [{**asdict(trial), "is_gap": trial.is_gap} for trial in trials],
    }


def _show_overview(call: Invocation, settings: Settings, policy: Policy) -> None:
    say(f"{call.origin}: valid", "bold green")
    matching = [rule.by.value for rule in policy.matching]
    record = {**_servers(settings), "matching": matching, "configuration": policy.version}
    show_record(record, Output.TABLE)
    _show_table("Store views", _store_views(settings), _VIEW_COLUMNS)
    _show_table("Templates, the first whose condition holds", _templates(policy), _TEMPLATE_COLUMNS)
    for advice in advice_on(settings):
        say(f"note: {advice}", "yellow")


def _show_gaps(gaps: Sequence[Trial]) -> None:
    rows = (
        {
            **asdict(gap),
            "template": gap.template or "none fits",
            "missing": gap.missing if gap.template else "a template",
        }
        for gap in gaps
    )
    _show_table("Gaps: these new customers would be held", rows, _GAP_COLUMNS)


def _show_table(title: str, rows: Iterator[dict[str, Any]], names: Sequence[str]) -> None:
    if shown := list(rows):
        say(f"\n{title}", "bold")
        show_rich(table_of(shown, {name: name.replace("_", " ") for name in names}))


def _servers(settings: Settings) -> dict[str, str]:
    return {
        "database": redacted_url(settings.database.url.get_secret_value()),
        "broker": redacted_url(settings.broker.url.get_secret_value()),
        "customer_master": {"directory": "Patron's own directory"}[settings.erp.kind],
    }


def _store_views(settings: Settings) -> Iterator[dict[str, Any]]:
    for name, channel in settings.channels.items():
        for view in channel.store_views:
            yield {
                "channel": name,
                "platform": channel.platform,
                "code": view.code,
                "import": view.import_enabled,
                "processing_method": view.processing_method.value,
                "start_date": view.start_date,
                "poll_interval_seconds": view.poll_interval_seconds,
                "sweep_interval_seconds": view.sweep_interval_seconds,
                "additional_data": dict(channel.additional_data),
            }


def _templates(policy: Policy) -> Iterator[dict[str, Any]]:
    for template in policy.templates:
        yield {
            "name": template.name,
            "when": template.when.text if template.when else "always",
            "number_series": template.number_series,
            "number_from": template.number_from,
            "first_number": _first_number(template, policy),
            "values": [f"{key} = {value}" for key, value in template.values.items()],
        }


def _first_number(template: Template, policy: Policy) -> str:
    """Return the first number that a template gives, or where it takes its numbers from."""
    if template.number_series is None:
        return f"{template.number_prefix}<{template.number_from}>"
    series = policy.number_series[template.number_series]
    return series.number(series.start)
