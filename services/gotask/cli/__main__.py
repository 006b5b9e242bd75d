"""``python -m gotask.cli``: the same as ``gotask``."""

from gotask.cli.main import app

app(prog_name="gotask")
