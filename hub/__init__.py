"""The hub: control plane, exchange, ledger and command line of MetIP Hub."""
