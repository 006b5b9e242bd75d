"""Many small arguments of a script as few large ones: the server pays for each."""

from collections.abc import Iterable, Iterator

_MAX_BYTES = 1 << 20


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, joined to strings of about a megabyte at most; no piece is cut."""
    batch: list[bytes] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= _MAX_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)
