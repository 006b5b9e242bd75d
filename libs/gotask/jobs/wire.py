"""Parts of serialized messages, joined without making the messages: a third to a half of the cost."""

from functools import lru_cache


def field(tag: bytes, data: bytes) -> bytes:
    """A field of wire type 2 (a message, bytes or text) as protobuf writes it; *tag* says which.

    Appended to a serialized message it adds to a repeated field, and replaces one that is not.
    """
    return tag + _varint(len(data)) + data


@lru_cache(maxsize=4096)
def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
