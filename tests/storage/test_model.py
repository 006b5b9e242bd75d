"""Random histories: every backend answers as the model does, and its jobs stand as the model's.

``GOTASK_TEST_HISTORIES`` says how many; ``make histories`` runs thousands.
"""

import itertools
import os

import pytest

from tests.storage.comparison import compare
from tests.storage.conftest import Backend

HISTORIES = int(os.environ.get("GOTASK_TEST_HISTORIES", "200"))


@pytest.mark.timeout(60 + HISTORIES)
def test_a_storage_does_what_the_model_does(backend: Backend, namespace: str) -> None:
    numbers = itertools.count()
    compare(lambda: backend(f"{namespace}-{next(numbers)}"), HISTORIES)
