"""What nobody caught is told like everything else: one line each, without texts."""

import json
import subprocess
import sys

SCRIPT = """
import threading, warnings
from shared.domain.customer import Phone
from shared.observability import logs
from shared.observability.uncaught import tell_uncaught

class Untidy:
    def __del__(self):
        raise ValueError("Quendolina")

def die():
    raise LookupError("Quendolina")

logs.configure("json", "INFO", service="processor")
tell_uncaught()
Phone(raw="030").model_copy(update={"raw": ["Quendolina"]}).to_json()
warnings.warn("Quendolina", RuntimeWarning)
thread = threading.Thread(target=die, name="worker")
thread.start()
thread.join()
Untidy()
raise RuntimeError("Quendolina\\nin two lines")
"""


def test_what_nobody_caught_is_one_line_each_without_its_text() -> None:
    """Warnings, a thread's death, a failed finaliser and the main thread's end."""
    ended = subprocess.run(
        [sys.executable, "-W", "always", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(each["event"], each.get("error_class", each.get("category"))) for each in told] == [
        ("python.warning", "UserWarning"),
        ("python.warning", "RuntimeWarning"),
        ("error.uncaught", "LookupError"),
        ("error.ignored", "ValueError"),
        ("error.uncaught", "RuntimeError"),
    ]
    assert told[2]["thread"] == "worker"
    assert "Quendolina" not in ended.stderr
    assert ended.returncode == 1
