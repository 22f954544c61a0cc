"""The whole story of one call or message, from any id of it: across consumer, Envoy, adapter, exchange and far system.

Four sources tell of it, each of what it saw itself: the ledger, the exchange, Envoy's log, the adapters' logs. `finding` gathers what
belongs together, `telling` makes a tree of steps of it. The law: what a source told is not left out, and what should be there and is not
is said to be missing.
"""
