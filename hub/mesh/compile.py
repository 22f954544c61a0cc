"""The pure function at the heart of the control plane: contracts, instances, policy and edge in, one snapshot out."""

from hub.contracts import Contracts
from hub.mesh.clusters import AS_MEASURED, adapters_authority, addresses_of, cluster_of, endpoints_of, on_tcp
from hub.mesh.console import console_of
from hub.mesh.deliveries import deliveries_of
from hub.mesh.inputs import AS_OWNED, Edge, Instance, Policy, Traffic, adapter_identity
from hub.mesh.listeners import listeners_of, secrets_of
from hub.mesh.resources import Snapshot
from hub.mesh.resting import weighing_of
from hub.mesh.routes import routes_of
from hub.mesh.tracing import collector_of


def compile_mesh(
    contracts: Contracts, instances: tuple[Instance, ...], policy: Policy, edge: Edge, traffic: Traffic = AS_OWNED
) -> Snapshot:
    """Everything Envoy is told. Equal inputs give a snapshot that is equal byte for byte.

    Each system behind an interface has a cluster even while none of its instances serves, so that callers are told UNAVAILABLE rather than
    that the interface doesn't exist.
    """
    breakers = {(one.interface, one.system): one for one in traffic.breakers}
    served = [interface for interface in contracts.interfaces if not interface.private]
    clusters = [
        (name, interface.name, name.rpartition("/")[0] or interface.system, addresses)
        for interface in served
        for name, addresses in addresses_of(interface, instances, contracts.back_ends_of(interface.name)).items()
    ]
    return Snapshot.of(
        (
            *secrets_of(edge),
            *((adapters_authority(edge),) if on_tcp(one.address for one in instances) else ()),
            *(
                cluster_of(
                    name,
                    interface,
                    adapter_identity(edge.trust_domain, system) if on_tcp(addresses) else "",
                    breakers.get((interface, system), AS_MEASURED),
                )
                for name, interface, system, addresses in clusters
            ),
            *(endpoints_of(name, addresses, weighing_of(addresses, instances, traffic)) for name, _, _, addresses in clusters),
            *collector_of(edge.traces),
            *listeners_of(contracts, edge),
            routes_of(contracts, policy, edge.trust_domain, traffic, edge.limits),
            *deliveries_of(contracts, instances, edge, traffic),
            *console_of(contracts, edge),
        )
    )
