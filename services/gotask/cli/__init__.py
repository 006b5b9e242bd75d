"""The ``gotask`` command: starts one service, or all of them."""
