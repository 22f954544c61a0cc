"""The console: a site of static files that operators open in a browser; its data comes from the same contracts that the CLI calls."""
