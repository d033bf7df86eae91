"""Configuration: `patron.toml` and the environment, validated into frozen values."""

from shared.config.loading import load_settings
from shared.config.policies import policy_of
from shared.config.problems import ConfigurationInvalid, Problem
from shared.config.settings import Settings

__all__ = ["ConfigurationInvalid", "Problem", "Settings", "load_settings", "policy_of"]
