"""The hub's own gRPC services: registry, catalogue, mesh, and reflection and health for every contract."""
