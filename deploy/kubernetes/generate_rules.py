"""Write the alerts once more, as the resource that the Prometheus operator reads.

    python deploy/kubernetes/generate_rules.py

For whoever changed deploy/prometheus/patron.rules.yml; the rules stand there, and only there.
"""

import textwrap
from pathlib import Path

HERE = Path(__file__).parent
RULES = HERE.parent / "prometheus" / "patron.rules.yml"
RESOURCE = HERE / "components" / "monitoring" / "rules.yaml"
HEAD = """\
# Made by deploy/kubernetes/generate_rules.py from deploy/prometheus/patron.rules.yml: edit that.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: patron
spec:
"""


def resource(rules: str) -> str:
    """Return the rules as a resource."""
    _, groups, what = rules.partition("groups:\n")
    return HEAD + textwrap.indent(groups + what, "  ")


if __name__ == "__main__":
    RESOURCE.write_text(resource(RULES.read_text("utf-8")), encoding="utf-8")
