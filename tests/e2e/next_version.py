"""Runs a program of Patron as the next version would be: every schema of a message is one newer.

    python tests/e2e/next_version.py services.processor

It reads what this version writes, and writes what this version refuses as too new.
"""

import runpy
import sys

from shared.domain import messages


def main(module: str) -> None:
    """Raise the schemas, then run `module` as if it had been named after `python -m`."""
    for name, kind in messages.MESSAGE_TYPES.items():
        newer = kind._replace(schema_version=kind.schema_version + 1)
        messages.MESSAGE_TYPES[name] = messages._BY_MODEL[kind.model] = newer
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
