"""Advice about a configuration that is valid but perhaps not what was meant. Pure."""

from collections.abc import Iterator

from shared.config import policy_of
from shared.config.settings import Settings
from shared.domain.lint import lint


def advice_on(settings: Settings) -> list[str]:
    """Return what an operator might want to know before starting."""
    rules = lint(policy_of(settings))
    return [
        *_channels(settings),
        *_intake(settings),
        *_templates(settings),
        *rules,
        *_servers(settings),
    ]


def _channels(settings: Settings) -> Iterator[str]:
    if not settings.channels:
        yield "no channel is configured: nothing will be imported"
    for name, channel in settings.channels.items():
        if not any(view.import_enabled for view in channel.store_views):
            yield f"channel {name}: every store view has import = false, so it is only written to"


def _intake(settings: Settings) -> Iterator[str]:
    """Name what waits for somebody to come, where the door is closed."""
    if settings.intake.enabled:
        return
    for name, channel in settings.channels.items():
        if channel.webhooks:
            yield f"channel {name}: its webhooks are not taken in without [intake] enabled = true"
        if channel.platform == "push":
            yield f"channel {name}: nobody can push to it without [intake] enabled = true"


def _templates(settings: Settings) -> Iterator[str]:
    creating = [
        view
        for channel in settings.channels.values()
        for view in channel.store_views
        if view.processing_method.creates
    ]
    is_tried = all(view.countries for view in creating)
    if creating and not settings.templates:
        yield "there is no template: every new customer will be held (no_template)"
    for position, template in enumerate(settings.templates):
        is_last = position == len(settings.templates) - 1
        if template.when is None and not is_last:
            later = ", ".join(each.name for each in settings.templates[position + 1 :])
            yield f"template {template.name} is for everybody, so these are never chosen: {later}"
            return
        if is_last and template.when is not None and creating and not is_tried:
            yield "the last template has a condition: new customers that fit none will be held"


def _servers(settings: Settings) -> Iterator[str]:
    database = settings.database.url.get_secret_value()
    broker = settings.broker.url.get_secret_value()
    if broker.startswith("amqp") and database.startswith("sqlite"):
        yield "SQLite is for one machine: with RabbitMQ use PostgreSQL for workers on several"
    if broker.startswith("memory:") and not database.startswith("sqlite"):
        yield "the broker is memory://: run exactly one process, with `patron up`"
