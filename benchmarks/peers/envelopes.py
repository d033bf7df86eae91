"""The product's message as each framework wants it: bare, or as the argument of its task.

The frameworks' own formats, as their documentation gives them, so that a queue can be filled
without their help and at the same speed for all.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from benchmarks.peers.job import IN, TASK
from shared.domain.messages import Parcel
from shared.messaging.broker import WireMessage
from shared.messaging.codec import to_wire

Envelope = Callable[[Parcel], WireMessage]


def bare(parcel: Parcel) -> WireMessage:
    """Return the message as the product sends it."""
    return replace(to_wire(parcel), routing_key=IN)


def celery(parcel: Parcel) -> WireMessage:
    """Return a task message of Celery's protocol 2."""
    task_id = str(parcel.message_id)
    headers: dict[str, object] = {
        "lang": "py",
        "task": TASK,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "ignore_result": True,
        "argsrepr": "",
        "kwargsrepr": "{}",
        "origin": "benchmark",
    }
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = [_arguments(parcel), {}, embedded]
    return replace(bare(parcel), body=_json(body), headers=headers, correlation_id=task_id)


def dramatiq(parcel: Parcel) -> WireMessage:
    """Return a message of Dramatiq's default encoder."""
    body = {
        "queue_name": IN,
        "actor_name": TASK,
        "args": _arguments(parcel),
        "kwargs": {},
        "options": {},
        "message_id": str(parcel.message_id),
        "message_timestamp": int(parcel.occurred_at.timestamp() * 1000),
    }
    return replace(bare(parcel), body=_json(body), headers={})


def taskiq(parcel: Parcel) -> WireMessage:
    """Return a message of Taskiq's default formatter."""
    task_id = str(parcel.message_id)
    body = {
        "task_id": task_id,
        "task_name": TASK,
        "labels": {},
        "labels_types": {},
        "args": _arguments(parcel),
        "kwargs": {},
    }
    headers: dict[str, object] = {"task_id": task_id, "task_name": TASK}
    return replace(bare(parcel), body=_json(body), headers=headers)


def result_of(body: bytes) -> dict[str, str]:
    """Return the result that a message in the next queue carries, in whatever envelope."""
    found = json.loads(body)
    match found:
        case [[str() as text], dict(), *_]:
            found = json.loads(text)
        case {"args": [str() as text]}:
            found = json.loads(text)
    return {name: str(value) for name, value in found.items()}


_UTF8: Final = "utf-8"


def _arguments(parcel: Parcel) -> list[str]:
    return [str(parcel.message_id), parcel.body.decode(_UTF8)]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(_UTF8)
