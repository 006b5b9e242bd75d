"""The commands of those who use GoTask: they talk to it as any client does.

Nothing here but typer is imported before a command runs: ``gotask --help`` must not wait for a client.
"""
