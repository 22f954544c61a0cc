"""The pure function at the heart of the control plane: contracts, instances, policy and edge in, one snapshot out."""

from hub.contracts import Contracts
from hub.mesh.clusters import addresses_of, cluster_of, endpoints_of
from hub.mesh.deliveries import deliveries_of
from hub.mesh.inputs import Edge, Instance, Policy
from hub.mesh.listeners import listeners_of, secrets_of
from hub.mesh.resources import Snapshot
from hub.mesh.routes import routes_of


def compile_mesh(contracts: Contracts, instances: tuple[Instance, ...], policy: Policy, edge: Edge) -> Snapshot:
    """Everything Envoy is told. Equal inputs give a snapshot that is equal byte for byte.

    Each interface has a cluster even while nobody serves it, so that its callers are told UNAVAILABLE rather than that it doesn't exist.
    """
    served = [interface for interface in contracts.interfaces if not interface.private]
    return Snapshot.of(
        (
            *secrets_of(edge),
            *(cluster_of(interface.name, interface.name) for interface in served),
            *(endpoints_of(interface.name, addresses_of(interface, instances)) for interface in served),
            *listeners_of(contracts, edge),
            routes_of(contracts, policy, edge.trust_domain),
            *deliveries_of(contracts, instances, edge),
        )
    )
