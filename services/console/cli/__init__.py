"""The operator's command line: `patron`."""

from services.console.cli.app import main

__all__ = ["main"]
