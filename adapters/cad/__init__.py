"""Computer-aided despatch: incidents' logs and units, asked and published over the host's message switch."""
