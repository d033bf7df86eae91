"""The tiny job as a Celery task. Run by `celery --app benchmarks.peers.with_celery worker`.

Quorum queues, acknowledged late, rejected when a worker is lost, published confirmed (kombu waits
for each) and mandatory; no results, no events, no remote control. Tuned: one statement for each
message, and the pool of threads, each with a connection that commits by itself: while one waits for
its confirm the others go on. Plain: the solo pool, one message after the other.
"""

from celery import Celery
from kombu.entity import Queue

from benchmarks.peers import place
from benchmarks.peers.job import IN, OUT, RESULT_TASK, TASK
from benchmarks.peers.threads import handle

_QUORUM = {"x-queue-type": "quorum"}
_RESULTS = Queue(OUT, routing_key=OUT, queue_arguments=_QUORUM)

app = Celery("peers", broker=place.broker_url())
app.conf.update(
    task_queues=[Queue(IN, routing_key=IN, queue_arguments=_QUORUM)],
    task_default_queue=IN,
    task_default_queue_type="quorum",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=16 if place.is_tuned() else 4,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)
if place.is_tuned():
    place.spare_the_collector()


@app.task(name=TASK)
def customer_imported(message_id: str, text: str) -> None:
    """Handle a message and publish what came of it."""
    app.send_task(RESULT_TASK, [handle(message_id, text)], queue=_RESULTS, mandatory=True)
