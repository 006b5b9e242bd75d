"""Who may do what, on REST and gRPC alike: keys, tokens, scopes, queues, rates, and the record of who changed what."""
