"""Corporate Data Warehouse: what other systems hold, in one PostgreSQL database."""
