"""What a stream of the broker holds."""

from gotask.bus.bus import Bus
from gotask.bus.subjects import Stream


async def messages_in(bus: Bus, stream: Stream) -> list[bytes]:
    """The data of all its messages, in order; none may have been taken out."""
    name = bus.subjects.stream(stream)
    last = (await bus.js.stream_info(name)).state.last_seq
    return [(await bus.js.get_msg(name, seq)).data or b"" for seq in range(1, last + 1)]
