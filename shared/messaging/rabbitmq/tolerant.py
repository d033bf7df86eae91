"""A pika connection that survives message headers which pika cannot read.

For the link. pika turns every header into a Python value and raises on some that RabbitMQ carries
gladly: a float that is NaN, a date beyond the year 9999, tables nested too deep. The exception
costs the connection, the message comes again, and one stranger's message stops a queue for good.
Here such a message is delivered without its properties and marked as unreadable, so that it is
dead-lettered like any other that makes no sense. Besides, the frames of a message are sent in one
piece, where pika makes a system call, and a packet, of each.
"""

import struct
from collections.abc import Sequence

import pika
from pika.frame import Frame, Header
from pika.spec import FRAME_END_SIZE, FRAME_HEADER, FRAME_HEADER_SIZE

UNREADABLE = "application/x-unreadable-properties"


class TolerantConnection(pika.SelectConnection):  # type: ignore[misc]
    """See the module. Overrides how frames are read and sent: pika has no public hook for it."""

    def _read_frame(self) -> tuple[int, Frame | None]:
        try:
            frame: tuple[int, Frame | None] = super()._read_frame()
        except Exception:
            if (unreadable := _without_properties(self._frame_buffer)) is None:
                raise
            return unreadable
        return frame

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


def _without_properties(buffer: bytes) -> tuple[int, Frame] | None:
    """Return how long the content header in `buffer` is, and the header without properties."""
    frame_type, channel, size = struct.unpack_from(">BHL", buffer)
    if frame_type != FRAME_HEADER:
        return None
    _class_id, _weight, body_size = struct.unpack_from(">HHQ", buffer, FRAME_HEADER_SIZE)
    properties = pika.BasicProperties(content_type=UNREADABLE)
    return FRAME_HEADER_SIZE + size + FRAME_END_SIZE, Header(channel, body_size, properties)
