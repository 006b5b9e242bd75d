"""Several worker processes under one parent, which restarts those that die, and all of them when code changes.

The parent neither connects to the broker nor loads the user's code.
"""
