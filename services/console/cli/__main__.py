"""`python -m services.console.cli` is `patron`."""

import sys

from services.console.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
