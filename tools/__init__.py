"""What a developer runs: bench, proto generation, lock files, checks; each as ``python -m tools.NAME``."""
