"""The console: what Vite built of `app/` lies in `site/`, and `serving` gives it out; data comes by the contracts that the CLI calls."""
