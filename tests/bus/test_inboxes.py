"""Where answers may go."""

import pytest

from gotask.bus.inboxes import Inboxes


@pytest.mark.parametrize("subject", ["_INBOX.a", "_INBOX.billing.x.y", "_INBOX_gateway.7.a", "answers.other.a"])
def test_an_inbox(subject: str) -> None:
    Inboxes("answers.queue-manager").check(subject)


@pytest.mark.parametrize("subject", ["answers", "answers.*", "_INBOX.a b", "_INBOX." + "a" * 256, "other._INBOX.a", ""])
def test_no_inbox(subject: str) -> None:
    with pytest.raises(ValueError, match=r"is no inbox: use a subject of _INBOX\.> or answers\.>"):
        Inboxes("answers.queue-manager").check(subject)
