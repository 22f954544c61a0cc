"""What is set by hand in Envoy's runtime: noticed, compared with what the hub says, and taken back by whoever says something else."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from directing import FIRST, INTERFACE, OPERATOR, SECOND, WHY, Directed

from hub.mesh.admin import Admin
from hub.traffic.overrides import Override, Overrides
from hub.traffic.settings import FaultInjection

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINE, OTHERS = f"weight.{SECOND}/{INTERFACE}", "circuit_breakers.elsewhere.default.max_requests"


class Runtime:
    """Envoy's admin interface, as far as its runtime goes."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def shown(self, _: web.Request) -> web.Response:
        entries = {name: {"final_value": value, "layer_values": [value]} for name, value in self.values.items()}
        return web.Response(text=json.dumps({"layers": ["admin"], "entries": entries}))

    async def modified(self, request: web.Request) -> web.Response:
        for name, value in request.query.items():
            self.values.pop(name, None)
            if value:
                self.values[name] = value
        return web.Response(text="OK\n")


@pytest_asyncio.fixture(loop_scope="module")
async def envoy(tmp_path: Path) -> AsyncIterator[Runtime]:
    """It, on a socket."""
    runtime, app = Runtime(), web.Application()
    app.add_routes([web.get("/runtime", runtime.shown), web.post("/runtime_modify", runtime.modified)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "envoy.sock")).start()
    yield runtime
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def hub(tmp_path: Path, envoy: Runtime) -> Directed:
    """A hub that looks at it."""
    found = Directed(tmp_path)
    await found.restart()
    found.director.overrides.admin = Admin(tmp_path / "envoy.sock")
    return found


async def test_a_key_is_noticed_once_and_once_more_when_it_changes_or_goes(envoy: Runtime, hub: Directed) -> None:
    heard: list[tuple[str, str]] = []
    seen = Overrides(hub.director.overrides.admin, lambda: {MINE: "0"}, lambda one: heard.append((one.key, one.value)), lambda: hub.now)
    for value in ("30", "30", "40", ""):
        await hub.director.overrides.admin.set_runtime({MINE: value})  # type: ignore[union-attr]
        await seen.look()
        hub.now += 1
    assert heard == [(MINE, "30"), (MINE, "40"), (MINE, "")]
    envoy.values["overload.something"] = "1"
    await seen.look()
    assert seen.current == ()


async def test_it_differs_as_long_as_the_hub_says_otherwise(envoy: Runtime, hub: Directed) -> None:
    envoy.values[MINE] = "30"
    await hub.director.overrides.look()
    (found,) = hub.director.overrides.current
    assert (found.said, found.value, found.differs) == ("0", "30", True)
    hub.director.overrides.admin = None
    await hub.shift(30)
    (found,) = hub.director.overrides.current
    assert (found.said, found.differs) == ("30", False)


async def test_a_change_takes_back_what_was_set_by_hand_for_the_same_and_nothing_else(envoy: Runtime, hub: Directed) -> None:
    envoy.values |= {MINE: "30", OTHERS: "7"}
    preview = await hub.director.preview(lambda state: state.put(FaultInjection(INTERFACE, delay=1, delay_percent=1)))
    assert preview.warnings == ()
    await hub.shift(5)
    assert envoy.values == {OTHERS: "7"}
    envoy.values[f"fault.abort.{INTERFACE}"] = "50"
    found = await hub.director.preview(lambda state: state.put(FaultInjection(INTERFACE, delay=1, delay_percent=1)))
    assert found.warnings == (f"fault.abort.{INTERFACE} was set by hand in Envoy; this change takes that back",)
    await hub.director.change("fault", OPERATOR, WHY, lambda state: state.put(FaultInjection(INTERFACE, delay=1, delay_percent=1)))
    assert envoy.values == {OTHERS: "7"}


async def test_an_envoy_that_does_not_answer_holds_up_no_change(hub: Directed, tmp_path: Path) -> None:
    hub.director.overrides.admin = Admin(tmp_path / "nobody.sock")
    await hub.shift(5)
    assert hub.share == 5
    assert not hub.director.overrides.answers


async def test_by_hand_and_by_the_hub_are_compared_as_text() -> None:
    assert not Override("key", "30", "30", 0.0).differs
    assert Override("key", "30", "", 0.0).differs


async def test_the_owner_has_everything_that_nobody_was_given(hub: Directed) -> None:
    said = hub.director.overrides.said()
    assert (said[f"weight.{INTERFACE}"], said[MINE]) == ("100", "0")
    assert FIRST not in said
