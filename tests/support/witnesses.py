"""A real witness: its process, on a socket, with keys and settings of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from ledgers import ORIGIN
from waiting import until

from hub.ledger import signing
from hub.ledger.signing import SigningKeys

NAME = "metip.local/witness"


class Home:
    """The folder of one ledger and its witness; what of it is there already is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings, self.socket = folder / "witness.yaml", folder / "run" / "w"
        self.ledger_vkey, self.witness_vkey = folder / "signing" / "ledger.vkey", folder / "witness" / "witness.vkey"
        signing.ensure(folder / "signing", ORIGIN)
        signing.ensure(folder / "witness", NAME, signing.WITNESS)
        self.settings.write_text(f"socket: run/w\nfile: state/witness.sqlite\nname: {NAME}\nkeys: witness\nlogs: [signing/ledger.vkey]\n")

    @property
    def keys(self) -> SigningKeys:
        """The ledger's keys."""
        return signing.load(self.folder / "signing", ORIGIN)


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[asyncio.subprocess.Process]:
    """The witness's process for the length of the block, ready to be asked."""
    with (home.folder / "witness.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.ledger.witness", "--settings", str(home.settings), stdout=log, stderr=log
        )
    try:
        await until(lambda: process.returncode is not None or home.socket.exists(), within=30)
        async with grpc.aio.insecure_channel(f"unix:{home.socket}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 30)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 30)
