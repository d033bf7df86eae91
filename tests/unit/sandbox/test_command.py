"""The command: starts, says where, and ends well when told to."""

import json
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest


@pytest.mark.parametrize(
    "options",
    [
        ["--without-attribute", "erp_customer_number"],
        ["--shop", "bigcommerce", "--quota", "9", "--without-attribute", "ERP Customer Number"],
    ],
)
def test_the_command_serves_until_it_is_told_to_stop(options: list[str]) -> None:
    """One line on stderr, requests answered, exit code 0 on SIGTERM."""
    command = [sys.executable, "-m", "services.sandbox", "--port", "0", "--customers", "50"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://\S+", line)
        assert url is not None, line
        with urlopen(f"{url[0]}/_sandbox/stats") as answer:  # noqa: S310 - our own server
            stats = json.load(answer)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()

    assert stats["customers"] == 50
    assert (process.returncode, rest) == (0, "")
