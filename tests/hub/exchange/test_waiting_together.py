"""Callers that wait to be accepted are taken together, a bounded number at a time, and each is answered however a transaction ends."""

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest
from engines import Time, arrival

from hub.exchange.records import Accepted, BrokenError, FullError
from hub.exchange.sqlite import SqliteEngine, engine
from hub.exchange.sqlite.store import Store

CALLERS = 20


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [None, apsw.FullError, apsw.IOError], ids=["kept", "full", "broken"])
async def test_every_caller_is_answered_though_not_all_fit_into_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[apsw.Error] | None
) -> None:
    monkeypatch.setattr(engine, "TOGETHER", 3)
    accept_all = Store.accept_all

    def fails(self: Store, *arguments: Any) -> Any:
        if error is not None:
            raise error("the disk")
        return accept_all(self, *arguments)

    monkeypatch.setattr(Store, "accept_all", fails)
    broken: list[BrokenError] = []
    one = await SqliteEngine.open(tmp_path / "exchange.sqlite", broken.append, clock=Time().clock())
    try:
        async with asyncio.timeout(10):
            told = await asyncio.gather(*(one.accept([arrival(f"key-{number}")]) for number in range(CALLERS)), return_exceptions=True)
    finally:
        await one.close()
    if error is apsw.IOError:
        assert all(isinstance(answer, BrokenError) for answer in told)
        assert broken
        return
    kind = FullError if error else Accepted
    assert [isinstance(answer, list) and isinstance(answer[0], kind) for answer in told] == [True] * CALLERS
