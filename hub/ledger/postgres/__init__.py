"""The ledger on PostgreSQL: what differs from the embedded engine, and nothing else. Needs the extra `postgres` once it is opened."""
