"""The way to GoTask over gRPC, through a gateway. Imported for grpc:// and grpcs:// addresses only."""
