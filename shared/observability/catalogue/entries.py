"""How a metric is described: its name, what it counts, its labels and how many values they take.

For the catalogue. Its promise: a label has a list of all its values, or names what bounds them.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

PREFIX: Final = "patron_"
CONSUMERS: Final = ("importer", "processor", "exporter")
ALL: Final = (*CONSUMERS, "keeper")
TOGETHER: Final = "patron"
"""What a process calls itself that is all workers in one: `patron up`."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label. `values` are all there are; without any, `bound` says what there is one for each."""

    name: str
    values: tuple[str, ...] = ()
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A metric. `text` is its help; `remark` is Markdown for whoever reads on.

    `workers` are those that fill it. `unit` is what is counted or measured.
    """

    name: str
    kind: Kind
    unit: str
    text: str
    labels: tuple[Label, ...] = ()
    workers: tuple[str, ...] = ALL
    buckets: tuple[float, ...] = ()
    remark: str = ""

    @property
    def full_name(self) -> str:
        """The name as Prometheus has it."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"

    @property
    def series(self) -> tuple[str, ...]:
        """The names that queries may use."""
        if self.kind != "histogram":
            return (self.full_name,)
        return tuple(f"{self.full_name}_{part}" for part in ("bucket", "sum", "count"))


CHANNEL: Final = Label("channel", bound="a channel of the configuration")
STORE_VIEW: Final = Label("store_view", bound="a store view of the configuration")
SERIES: Final = Label("series", bound="a number series of the configuration")
QUEUE: Final = Label("queue", bound="a queue: one for each worker and channel")
ROUTING_KEY: Final = Label("routing_key", bound="a type of message; of exports, one for a channel")
REASON: Final = Label("reason", bound="a reason of the [runbook](runbook.md)")
VERSION: Final = Label("version", bound="the one version that runs")
PLATFORM: Final = Label("platform", ("bigcommerce", "magento", "push", "shopify"))


def worker(*values: str) -> Label:
    """Return the label that says whose messages these are."""
    return Label("worker", values or CONSUMERS)


def process() -> Label:
    """Return the label that says which process it is: a worker's, or that of all in one."""
    return Label("worker", (*ALL, TOGETHER))
