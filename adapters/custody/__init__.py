"""NSPIS Custody: publishes the versions of custody records that the system drops as files."""
