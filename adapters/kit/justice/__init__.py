"""What adapters of criminal justice share: courts' results as updates of a national record, and why somebody asks such a record."""
