"""Ask Prometheus in the stack: `watched.py 'EXPRESSION'`; runs in a worker's container.

Prints what the expression has, a line for each series, and exits with 1 if that is nothing.
`watched.py rules` prints how many alerting rules are loaded, and what is wrong with any.
"""

import json
import sys
import urllib.parse
import urllib.request
from typing import Any

API = "http://prometheus:9090/api/v1"


def main(question: str) -> int:
    """Print the answer."""
    lines = rules() if question == "rules" else series(question)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if lines else 1


def series(expression: str) -> list[str]:
    """Return each series of the expression with its value."""
    found = ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
    return [f"{labels(each['metric'])} {each['value'][1]}" for each in found]


def labels(metric: dict[str, str]) -> str:
    """Return what tells a series from others, briefly."""
    said = {"alertname", "alertstate", "instance", "job", "worker"}
    return " ".join(value for name, value in sorted(metric.items()) if name in said)


def rules() -> list[str]:
    """Return how many alerts there are, or what is wrong with some."""
    every = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
    broken = [f"{rule['name']}: {rule['lastError']}" for rule in every if rule.get("lastError")]
    alerts = [rule for rule in every if rule["type"] == "alerting"]
    unread = [rule["name"] for rule in every if rule["health"] != "ok"]
    if broken or unread:
        raise SystemExit("\n".join([*broken, *unread]))
    return [f"{len(alerts)} alerts, {len(every) - len(alerts)} recorded"] if alerts else []


def ask(path: str) -> Any:
    """Return what Prometheus answers."""
    with urllib.request.urlopen(f"{API}/{path}", timeout=10) as answer:  # noqa: S310 - http
        return json.load(answer)["data"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
