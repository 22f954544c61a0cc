"""How gRPC waits for its sockets. Import this before anything that imports gRPC, which reads its experiments once.

Without the event engine's listener the thread that waits for completions reads the sockets itself, instead of being told by three more
threads: a fifth less CPU a call on a server of one process.
"""

import os

import metip.forking  # noqa: F401 - for whoever waits so, too

os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
