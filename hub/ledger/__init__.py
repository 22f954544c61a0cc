"""The ledger: who did what to whose data, in an append-only tree whose every state is signed, witnessed and verifiable by anybody.

`tree` is RFC 6962 and pure; `notes` is C2SP's text forms; `port` says what an engine does and `store` is the embedded one; `witness` is a
process of its own; `verifier` is one file that needs nothing of ours.
"""
