"""The console: what Vite built of `app/` lies in `site/`, and `serving` gives it out; its data comes from the contracts of the CLI."""
