"""Where answers may go: a queue-manager has rights that whoever names a subject to it may lack."""

import re

_LONGEST = 256


class Inboxes:
    """Subjects whose first token begins with ``_INBOX``, or is that of *prefix*, below which our own answers come."""

    def __init__(self, prefix: str) -> None:
        self._own = prefix.partition(".")[0]
        self._pattern = re.compile(rf"(_INBOX[A-Za-z0-9_-]*|{re.escape(self._own)})(\.[^\s.*>]+)+")

    def check(self, subject: str) -> None:
        """ValueError for a subject that is no inbox."""
        if len(subject) > _LONGEST or not self._pattern.fullmatch(subject):
            own = "" if self._own == "_INBOX" else f" or {self._own}.>"
            raise ValueError(f"{subject[:_LONGEST]!r} is no inbox: use a subject of _INBOX.>{own}")
