"""``gotask up``: the servers and the services, together on one machine."""
