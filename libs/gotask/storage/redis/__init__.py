"""Storage in Redis (6.2 and later) or Valkey: Lua scripts, one round trip per batch, all keys under one hash tag."""
