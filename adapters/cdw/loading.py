"""What is done on one connection to the warehouse: its tables are made, and versions are loaded."""

from collections.abc import Sequence
from typing import Any

from adapters.cdw import schema, wire
from adapters.cdw.records import Key, Version


async def make_tables(connection: Any) -> None:
    """Takes the steps that the database lacks; many may try at once. Raises what asyncpg raises."""
    if await connection.fetchval(schema.IS_BEGUN) and await connection.fetchval(schema.LAST_STEP) >= schema.LATEST:
        return
    async with connection.transaction():
        await connection.execute(schema.TAKE_LOCK)
        await connection.execute(schema.BEGIN)
        for number, step in schema.missing(await connection.fetchval(schema.LAST_STEP)):
            await connection.execute(step)
            await connection.execute(schema.STEP_TAKEN, number)


async def load(connection: Any, versions: Sequence[Version]) -> frozenset[int]:
    """Loads versions in one transaction, and returns after COMMIT. Raises what asyncpg raises; then nothing was loaded.

    Gives the places, among `versions`, of those that were not loaded because another content is held under the same number and version.
    """
    # Always in the same order, so that two loads never wait for one another; a version that came twice is one row.
    ordered = sorted({one.key: one for one in versions}.values(), key=lambda one: one.key)
    async with connection.transaction():
        kept = await connection.fetchmany(wire.KEEP_VERSION, [wire.version_parameters(one) for one in ordered])
        new = {(number, version) for number, version in kept}
        await _complete(connection, [one for one in ordered if one.key in new])
        held = await _held(connection, ordered) if len(new) < len(versions) else {}
    return frozenset(place for place, one in enumerate(versions) if one.key in held and held[one.key] != wire.digest(one))


async def _complete(connection: Any, fresh: Sequence[Version]) -> None:
    """Keeps the parts of versions that are new, and makes these current where no higher version is."""
    if not fresh:
        return
    for statement, parameters in (
        (wire.KEEP_OFFENCE, wire.offence_parameters(fresh)),
        (wire.KEEP_DISPOSAL, wire.disposal_parameters(fresh)),
        (wire.KEEP_REVIEW, wire.review_parameters(fresh)),
        (wire.KEEP_ISSUE, wire.issue_parameters(fresh)),
    ):
        if parameters:
            await connection.executemany(statement, parameters)
    await connection.execute(wire.MAKE_CURRENT, *wire.keys(fresh))


async def _held(connection: Any, versions: Sequence[Version]) -> dict[Key, bytes]:
    """The digests under which these versions are held."""
    found = await connection.fetch(wire.KEPT_DIGESTS, *wire.keys(versions))
    return {(number, version): digest for number, version, digest in found}
