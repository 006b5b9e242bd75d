"""The workers of the memory backend."""

from collections.abc import Sequence

from gotask import v1


class Workers:
    """The workers by id, each until it expires."""

    def __init__(self) -> None:
        self._by_id: dict[str, tuple[int, bytes]] = {}

    def put(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        for worker in workers:
            self._by_id[worker.id] = (expires_at_us, worker.SerializeToString())

    def live(self, now_us: int) -> list[v1.WorkerInfo]:
        self._by_id = {key: entry for key, entry in self._by_id.items() if entry[0] > now_us}
        return [v1.WorkerInfo.FromString(data) for _, (_, data) in sorted(self._by_id.items())]
