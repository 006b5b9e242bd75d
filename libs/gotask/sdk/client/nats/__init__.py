"""The way to GoTask over NATS: submissions to the stream, all else as commands to whoever owns it."""
