"""Keeps gRPC out of forks. Import this before anything that imports gRPC, which reads the setting once.

No process of ours goes on in a fork: whoever forks starts another program at once. gRPC's handlers for forks, which stop its threads before
and start them after, have ended processes that start many (SIGABRT in the parent), and nobody needs them.
"""

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
