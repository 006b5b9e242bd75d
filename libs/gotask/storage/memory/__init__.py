"""Storage in this process's memory: the reference that the other backends are compared with. Nothing survives it."""

from gotask.storage.memory.backend import MemoryStorage

__all__ = ["MemoryStorage"]
