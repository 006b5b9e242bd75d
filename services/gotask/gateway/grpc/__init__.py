"""The gRPC services of proto/gotask/v1: reads requests, asks the gateway's parts, writes messages. Decides nothing."""
