"""What tests of several parts stand on: real servers, and waiting with a deadline."""
