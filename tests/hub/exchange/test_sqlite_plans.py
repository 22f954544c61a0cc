"""No statement of the SQLite engine's daily work reads a whole history: each finds what it needs by an index."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engines import NOW, arrival, settled, subscription

from hub.exchange.life import Event
from hub.exchange.records import Filter, Settlement
from hub.exchange.sqlite.looking import accounts, deliveries, groups
from hub.exchange.sqlite.store import Store

WHOLE = frozenset(
    {
        "SCAN delivery",
        "SCAN d",
        "SCAN message",
        "SCAN m",
        "SEARCH delivery USING PRIMARY KEY (subscription=?)",
        "SEARCH d USING PRIMARY KEY (subscription=?)",
        "SEARCH message USING INDEX message_by_operation (operation=?)",
    }
)
"""How SQLite says that it reads all of a table, or all that one subscription or operation ever had."""


@pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "passing"])
def test_accepting_giving_and_settling_with_keys_reads_no_whole_history(tmp_path: Path, blocks: bool) -> None:
    store, said = Store(tmp_path / "exchange.sqlite"), subscription(parked_blocks=blocks)
    store.run([lambda: store.subscribe((said,), NOW)])
    statements: set[tuple[str, tuple[Any, ...]]] = set()

    def trace(_cursor: Any, statement: str, values: Any) -> bool:
        statements.add((statement, tuple(values or ())))
        return True

    store.database.exec_trace = trace
    store.run([lambda: [store.accept(arrival(f"a{number}", "a"), NOW) for number in range(3)]])
    ended: list[Settlement] = []
    for event in (Event.FAILED, Event.GAVE_UP):
        (turn,) = store.run([partial(store.turn, said.name, ended, 2, NOW)])
        ended = [settled(turn.attempts[0], event)]
    store.run([partial(store.turn, said.name, ended, 0, NOW)])
    store.run([lambda: accounts(store), lambda: groups(store, ""), lambda: deliveries(store, Filter(key="a"), (0, ""), 5)])
    store.database.exec_trace = None
    plans = {
        statement: [row[3] for row in store.database.execute(f"explain query plan {statement}", values)]
        for statement, values in statements
        if statement.split()[0] in ("select", "update", "delete")
    }
    store.close()
    assert len(plans) > 10
    assert {statement: plan for statement, plan in plans.items() if WHOLE & set(plan)} == {}
