"""Codes of the learning partner and its universities, by version of the code sets; nowhere else. Assumed, but for reasons of withdrawal.

The law: a code means something only under a version that is known. One of another version may be an old code with a new meaning, so it is
passed on as it is, with a remark, and never looked up in another version's list.
"""

from collections.abc import Mapping


def _listed(codes: str) -> Mapping[str, int]:
    """Codes in the order of the contract's enum, whose values they mean."""
    return {code: value for value, code in enumerate(codes.split(), start=1)}


OURS = "2026-09"
"""The version under which our own files are written."""
ROUTE, OUTCOME, PORTFOLIO, REASON = "route", "module_outcome", "portfolio_status", "withdrawal_reason"
ROUTES = _listed("PCDA DHEP DHEPD PREJ IPLDP")
VERSIONS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    OURS: {
        ROUTE: ROUTES,
        OUTCOME: _listed("P F R D"),
        PORTFOLIO: _listed("N I S A"),
        REASON: _listed("2 3 29 40 42 43 44 46 97 98"),  # Individualised Learner Record, field WithdrawReason
    }
}
CHANGES = _listed("E A M W")
