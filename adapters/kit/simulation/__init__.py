"""Simulators: stand-ins on the real wire for systems that nobody outside the police can reach, with dials for every way they fail."""

from adapters.kit.simulation.dials import STANDARD, Dials
from adapters.kit.simulation.running import run_simulators
from adapters.kit.simulation.transport import Framed, Http, HttpReply, HttpRequest

__all__ = ["STANDARD", "Dials", "Framed", "Http", "HttpReply", "HttpRequest", "run_simulators"]
