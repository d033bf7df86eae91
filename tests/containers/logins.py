"""Print which secrets a container sees, and whose those are that are addresses; runs in it."""

import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Print a line for each: its name, and the user in it."""
    for path in sorted(Path("/run/secrets").iterdir()):
        user = urlsplit(path.read_text("utf-8")).username if path.is_file() else None
        sys.stdout.write(f"{path.name}:{user}\n" if user else f"{path.name}\n")


if __name__ == "__main__":
    main()
