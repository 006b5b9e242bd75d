"""What belongs to one run of a handler, wherever it runs: payload in, hooks around it, result or failure out."""
