"""The yardstick: a grpc.aio server on uvloop that parses a typed request, prints a typed reply and does nothing else."""

import sys

import grpc
import uvloop

from metip.processes import die_with_parent
from tests.bench.cores import serve_alone
from tests.bench.exchange import the_exchange

COUNTER = "metip.bench.Counter"
"""Interface by which the benchmark asks how many calls were answered with OK; its one method takes and gives bytes."""


async def serve(socket: str) -> None:
    """Serves on a unix socket until the process is ended."""
    exchange, answered = the_exchange(), 0

    async def answer(request: object, context: object) -> object:
        nonlocal answered
        answered += 1
        return exchange.reply

    async def count(request: bytes, context: object) -> bytes:
        return str(answered).encode()

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler = grpc.unary_unary_rpc_method_handler(answer, type(exchange.request).FromString, type(exchange.reply).SerializeToString)
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(exchange.operation.interface, {exchange.operation.method: handler}),
            grpc.method_handlers_generic_handler(COUNTER, {"Answered": grpc.unary_unary_rpc_method_handler(count)}),
        )
    )
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    die_with_parent()
    serve_alone()
    uvloop.run(serve(sys.argv[1]))
