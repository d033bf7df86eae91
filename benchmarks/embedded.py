"""The embedded installation: one process without servers, `patron up`, at a first import.

For `benchmarks.pipeline`. SQLite and messages in memory; importer, processor, exporter and keeper
are threads of it. Its promise: the same checks as for the pipeline, down to the number in the shop.
"""

from benchmarks.checks import check_decided, check_shop
from benchmarks.installation import Installation
from benchmarks.measuring import Figures, all_done, measured, until


def embedded(installation: Installation, customers: int) -> Figures:
    """Bring all customers from the shop through the one process, and their numbers back."""
    with installation.embedded_scene(customers) as scene:
        scene.hold_imports()
        process = {"patron": scene.start("services.console.cli", "up")}
        with measured(installation, scene, process) as usage:
            scene.request_imports()
            until(scene, all_done(customers))
        check_decided(scene, customers)
        check_shop(scene)
    usage.cpu = {who: usage.cpu[who] for who in ("patron", "shop")}
    return {
        "embedded: one process [customers/s]": customers / usage.seconds,
        **usage.per_customer("embedded", customers),
    }
