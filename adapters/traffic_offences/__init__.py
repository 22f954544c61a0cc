"""Traffic offences: notices for the Home Office, sent in batches, and what became of each."""
