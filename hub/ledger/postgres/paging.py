"""A page of a search as PostgreSQL finds it: a range of the one index that has the value and the order of the answer.

The planner could also walk another index, or sort, whenever its statistics mislead it. So the order begins with the value, which only the
right index has, and the range is said in whole rows; what else must hold is looked up row by row (`OFFSET 0`, `LIMIT 1`: not to be
flattened into a join of whole tables).
"""

from typing import Final

from hub.ledger.searching import Place, Plan

EARLIEST: Final = -(1 << 62)
Values = tuple[bytes | str | int, ...]
BESIDE_FACTS: Final = ("tokens", "links")
"""Tables that have a value, time and place of their own."""
ITS_FACTS: Final = " CROSS JOIN LATERAL (SELECT * FROM facts g WHERE g.idx = t.idx LIMIT 1) f"


def page(plan: Plan, value: bytes | str | int, after: Place, limit: int) -> tuple[str, Values]:
    """The `Paged` of `hub.ledger.searching`."""
    since = EARLIEST if plan.since is None else plan.since
    conditions = "".join(f" AND {one.replace('AND o.idx = f.idx)', 'AND o.idx = f.idx OFFSET 0)')}" for one in plan.conditions)
    if plan.source == "at":
        statement = f"SELECT f.at, f.idx FROM facts f WHERE (f.at, f.idx) < (?, ?) AND f.at >= ?{conditions} ORDER BY f.at DESC, f.idx DESC"
        return f"{statement} LIMIT ?", (*after, since, *plan.parameters, limit)
    if plan.source in BESIDE_FACTS:
        table, column = f"SELECT t.at, t.idx FROM {plan.source} t" + (ITS_FACTS if conditions else ""), "t.value"
    else:
        table, column = "SELECT f.at, f.idx FROM facts f", f"f.{plan.source}"
    row = column[0]
    there = " AND f.call_id IS NOT NULL" if plan.source == "call_id" else ""  # its index has only those
    statement = (
        f"{table} WHERE ({column}, {row}.at, {row}.idx) < (?, ?, ?) AND ({column}, {row}.at) >= (?, ?){there}{conditions}"
        f" ORDER BY {column} DESC, {row}.at DESC, {row}.idx DESC LIMIT ?"
    )
    return statement, (value, *after, value, since, *plan.parameters, limit)
