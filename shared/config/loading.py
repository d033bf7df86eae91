"""Validating what file and environment give into settings; every problem named at once."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from shared.config.activation import incomplete_views
from shared.config.problems import ConfigurationInvalid, Problem, faults_of
from shared.config.references import bad_references
from shared.config.settings import Settings
from shared.config.sources import Given, read


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the file at `path` (None: only defaults) under the environment's.

    Raises `ConfigurationInvalid` with every problem found.
    """
    settings, problems = validated(read(path, environment))
    if settings is None or problems:
        raise ConfigurationInvalid(problems)
    return settings


def validated(given: Given) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, if there can be any, and every problem that was found."""
    settings, faults = None, []
    try:
        settings = Settings.model_validate(given.data)
    except ValidationError as error:
        faults = faults_of(error, given.data)
    problems = [_problem(given, fault.location, fault.text) for fault in faults]
    problems += [_problem(given, *reference) for reference in bad_references(given.data)]
    if settings is not None:
        problems += [_problem(given, *reference) for reference in incomplete_views(settings)]
    return settings, given.problems + [p for p in problems if not given.is_unread(p.key)]


def _problem(given: Given, location: tuple[str, ...], text: str) -> Problem:
    return Problem(given.origin_of(location), ".".join(location), text)
