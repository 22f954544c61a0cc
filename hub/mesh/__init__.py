"""The mesh: contracts compiled into Envoy configuration, checked, and served over gRPC ADS."""
