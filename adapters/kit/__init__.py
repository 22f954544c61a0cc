"""What every adapter stands on. An adapter imports from here and from its own contract, never from the hub or another adapter."""

from adapters.kit.site import Site, consult
from adapters.kit.upstream import Guard, Limits, Passage
from metip.call import Call, Officer
from metip.faults import Fault, Reason
from metip.logs import Log

__all__ = ["Call", "Fault", "Guard", "Limits", "Log", "Officer", "Passage", "Reason", "Site", "consult"]
