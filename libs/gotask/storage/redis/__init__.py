"""Storage in Redis 6.2 or newer, or Valkey: one Lua script, and one round trip, per call."""

from gotask.storage.redis.backend import RedisStorage

__all__ = ["RedisStorage"]
