"""Schemas of PostgreSQL that tests use one after the other: making one takes longer than most tests do."""

from gotask.storage.postgres import PostgresAddress, PostgresStorage

_EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname = '{schema}' AND tablename <> 'migrations'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""


class Schemas:
    """Gives every namespace of a test a schema of its own, empty when it is opened first."""

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address
        self._in_use: dict[str, str] = {}
        self._free: list[str] = []
        self._made = 0

    def storage(self, namespace: str) -> PostgresStorage:
        if namespace in self._in_use:
            return PostgresStorage(self._address, self._in_use[namespace])
        if not self._free:
            self._made += 1
            self._free.append(f"tests-{self._made}")
        schema = self._in_use[namespace] = self._free.pop()
        return _Emptied(self._address, schema)

    def of(self, namespace: str) -> str:
        """The schema that a namespace of the test has."""
        return self._in_use[namespace]

    def give_back(self) -> None:
        """The test is over."""
        self._free += self._in_use.values()
        self._in_use.clear()


class _Emptied(PostgresStorage):
    """Begins with nothing, whatever another test left."""

    _is_empty = False

    async def open(self) -> None:
        await super().open()
        if not self._is_empty:
            await self._client.rows(_EMPTY.format(schema=self._namespace))
            self._is_empty = True
