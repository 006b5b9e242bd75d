"""Which queues a worker's free slots go to: strict priority first, then weights."""

from collections.abc import Callable, Sequence
from itertools import groupby

from gotask import v1
from gotask.storage.contract import Share


class ShareKeeper:
    """Divides slots between queues of equal priority by weight, fairly over time.

    Smooth weighted round-robin: each pick raises every queue's credit by its weight, takes the queue with the most,
    and lowers that one's by the sum of the weights.
    """

    def __init__(self) -> None:
        self._credits: dict[str, int] = {}

    def divide(self, queues: Sequence[v1.Queue], capacity: int) -> list[Share]:
        """Shares of *capacity* slots, to be taken in order.

        Each priority's queues come first with their fair share, then with whatever another left over.
        """
        if len(queues) == 1:
            return [Share(queues[0].name, capacity)]
        shares: list[Share] = []
        by_priority: Callable[[v1.Queue], int] = lambda queue: -queue.priority  # noqa: E731
        for _, group in groupby(sorted(queues, key=by_priority), key=by_priority):
            equals = list(group)
            if len(equals) > 1:
                shares += self._fair(equals, capacity)
            shares += [Share(queue.name, capacity) for queue in equals]
        return shares

    def _fair(self, queues: list[v1.Queue], capacity: int) -> list[Share]:
        total = sum(queue.weight for queue in queues)
        rounds, rest = divmod(capacity, total)
        counts = {queue.name: rounds * queue.weight for queue in queues}
        order: list[str] = []
        for _ in range(rest):
            name = self._pick(queues, total)
            counts[name] += 1
            order.append(name)
        names = dict.fromkeys([*order, *counts])
        return [Share(name, counts[name]) for name in names if counts[name]]

    def _pick(self, queues: list[v1.Queue], total: int) -> str:
        for queue in queues:
            self._credits[queue.name] = self._credits.get(queue.name, 0) + queue.weight
        chosen = max(queues, key=lambda queue: self._credits[queue.name]).name
        self._credits[chosen] -= total
        return chosen
