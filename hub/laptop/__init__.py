"""The whole estate on one machine: identities, hub, Envoy, adapters and simulators, started, watched, and stopped without a trace."""
