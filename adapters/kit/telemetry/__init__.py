"""What a worker of an adapter tells of itself: metrics on a socket of its own, traces to a collector; off unless settings say where."""
