"""The chassis that every service stands on: settings, logging, clock, health, start and stop."""
