"""What the hub tells of itself and of the estate: metrics on a socket of its own, traces to a collector; off unless settings say where."""
