"""A pika connection that survives headers which pika cannot read, and has a fast lane.

For the link. pika turns every header into a Python value and raises on some that RabbitMQ carries
gladly: a float that is NaN, a date beyond the year 9999, tables nested too deep. The exception
costs the connection, the message comes again, and one stranger's message stops a queue for good.
Here such a message is delivered without its properties and marked as unreadable, so that it is
dead-lettered like any other that makes no sense.

Ordinary messages pass it by their bytes (see `frames`): those to be sent in one piece, those that
came all that have come at once. pika has no public hook for that; its private names that are used,
all of them here, are those of version 1.4.4: `_read_frame`, `_frame_buffer`, `_trim_frame_buffer`,
`_output_marshaled_frames`, `_proto_connection_made`, and the transport's `_MAX_RECV_BYTES`.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import pika
from pika.channel import Channel
from pika.exceptions import ChannelWrongStateError
from pika.frame import Frame, Header
from pika.spec import FRAME_END_SIZE, FRAME_HEADER, FRAME_HEADER_SIZE

from shared.messaging.rabbitmq.frames import RawDelivery, deliveries_in
from shared.messaging.rabbitmq.wire import UNREADABLE

_RECEIVED_AT_ONCE: Final = 64 * 1024

Arrived = Callable[[Channel, Sequence[RawDelivery]], None]


class TolerantConnection(pika.SelectConnection):  # type: ignore[misc]
    """See the module."""

    _consuming: Channel | None = None
    _arrived: Arrived

    def consume(self, channel: Channel, arrived: Arrived) -> None:
        """Hand deliveries over `channel` to `arrived`, those that come in one piece together.

        There is one such channel, the last that was named. What does not come in one piece
        takes pika's way.
        """
        self._consuming, self._arrived = channel, arrived

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send frames that were made for `channel`. Raises ChannelWrongStateError."""
        if not channel.is_open:
            raise ChannelWrongStateError("Channel is closed.")
        self._output_marshaled_frames(frames)

    def _proto_connection_made(self, transport: Any) -> None:
        transport._MAX_RECV_BYTES = _RECEIVED_AT_ONCE  # noqa: SLF001 - 4096 is less than three messages
        super()._proto_connection_made(transport)

    def _read_frame(self) -> tuple[int, Frame | None]:
        if self._consuming is not None:
            self._take_deliveries(self._consuming)
        try:
            frame: tuple[int, Frame | None] = super()._read_frame()
        except Exception:
            if (unreadable := _without_properties(self._frame_buffer)) is None:
                raise
            return unreadable
        return frame

    def _take_deliveries(self, channel: Channel) -> None:
        deliveries, end = deliveries_in(self._frame_buffer, channel.channel_number)
        if deliveries:
            self._trim_frame_buffer(end)
            self._arrived(channel, deliveries)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        # pika makes a system call, and a packet, of each.
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


def _without_properties(buffer: bytes) -> tuple[int, Frame] | None:
    """Return how long the content header in `buffer` is, and the header without properties."""
    frame_type, channel, size = struct.unpack_from(">BHL", buffer)
    if frame_type != FRAME_HEADER:
        return None
    _class_id, _weight, body_size = struct.unpack_from(">HHQ", buffer, FRAME_HEADER_SIZE)
    properties = pika.BasicProperties(content_type=UNREADABLE)
    return FRAME_HEADER_SIZE + size + FRAME_END_SIZE, Header(channel, body_size, properties)
