"""Which policy is in force, and why the one in the file is not, where it is not.

The law: where approval is required, a policy comes into force only with an approval that holds, and what is in force stays in force until
then, over a restart too: the hub keeps a copy, with its approval, among its state. Without a copy, nobody may do anything.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.access import approving, reading
from hub.contracts import Contracts
from hub.identity.private_files import make_private_folder, write_private
from hub.mesh.inputs import Policy
from metip.hub.v1.settings_pb2 import AccessApproval, Approvals
from metip.settings import SettingsError

KEPT: Final = "access"
"""The folder of the copy, in the hub's state."""


@dataclass(frozen=True)
class Rules:
    """Where the policy lies, and whose approval it needs."""

    file: Path
    state: Path
    settings_folder: Path
    trust_domain: str
    approvals: Approvals

    @property
    def copy(self) -> Path:
        """Where the hub keeps the policy that is in force."""
        return self.state / KEPT / self.file.name


@dataclass(frozen=True)
class Standing:
    """The policy that is in force."""

    policy: Policy
    digest: str = ""
    """Of its file; empty where there is none."""
    number: int = 0
    """Counts approved policies; 0 where approval is not required."""
    author: str = ""
    approver: str = ""
    reason: str = ""
    idle: tuple[str, ...] = ()
    """What in it grants nothing."""
    waiting: tuple[str, ...] = ()
    """Why the policy in the file is not this one; nothing where it is."""
    content: bytes = b""

    @property
    def by(self) -> str:
        """Who answers for it, for records."""
        return f"{self.author}, approved by {self.approver}" if self.approver else "file"


def standing(rules: Rules, contracts: Contracts) -> Standing:
    """Reads the policy, its approval and the copy, and decides; writes nothing. Raises `SettingsError`, but not for a proposal."""
    if not rules.approvals.required:
        content = reading.content_of(rules.file)
        return _of(content, reading.read(content, contracts, rules.trust_domain, source=str(rules.file)), None)
    keys = approving.public_keys(rules.approvals, rules.settings_folder)
    kept = _kept(rules, contracts)
    try:
        content = reading.content_of(rules.file)
        if approving.digest(content) == kept.digest:
            return kept
        found = reading.read(content, contracts, rules.trust_domain, source=str(rules.file))
        approval = approving.read(approving.beside(rules.file))
    except SettingsError as error:
        return _waiting(kept, *(f"{Path(error.source).name}: {problem}" for problem in error.problems))
    faults = list(approving.faults_of(approval, content, keys))
    if approval.number <= kept.number:
        faults.append(f"its number is {approval.number}, and that of the policy in force {kept.number}: propose it anew")
    return _waiting(kept, *faults) if faults else _of(content, found, approval)


def known(rules: Rules) -> str:
    """The digest of the policy that was in force when the hub last kept one; empty when nobody can tell."""
    try:
        return str(json.loads(rules.copy.read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def keep(rules: Rules, now: Standing) -> None:
    """Keeps a copy of what is in force. Raises `hub.identity.IdentityError` UNWRITABLE."""
    make_private_folder(rules.copy.parent)
    who = {"number": now.number, "author": now.author, "approver": now.approver, "reason": now.reason}
    # One file, so that policy and approval are never each other's wrong one.
    document = {**who, "digest": now.digest, "policy": now.content.decode()}
    write_private(rules.copy, json.dumps(document, indent=1).encode())


def _kept(rules: Rules, contracts: Contracts) -> Standing:
    """The copy, where it was approved; nothing otherwise. Raises `SettingsError` for one that can't be read."""
    if not rules.copy.exists():
        return Standing(Policy())
    try:
        said = json.loads(rules.copy.read_text(encoding="utf-8"))
        if not said["number"]:
            return Standing(Policy())
        content = str(said["policy"]).encode()
        if approving.digest(content) != said["digest"]:
            raise ValueError("the digest is another policy's")
        found = reading.read(content, contracts, rules.trust_domain, source=str(rules.copy))
        return Standing(
            found.policy, said["digest"], int(said["number"]), said["author"], said["approver"], said["reason"], found.idle, (), content
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"is not the copy that the hub wrote ({type(error).__name__}); restore it, or delete it and approve the policy anew"
        raise SettingsError(str(rules.copy), (problem,)) from None


def _of(content: bytes, found: reading.Read, approval: AccessApproval | None) -> Standing:
    digest = approving.digest(content)
    if approval is None:
        return Standing(found.policy, digest, idle=found.idle, content=content)
    signed = (approval.author.name, approval.approver.name, approval.reason)
    return Standing(found.policy, digest, approval.number, *signed, idle=found.idle, content=content)


def _waiting(kept: Standing, *why: str) -> Standing:
    return Standing(kept.policy, kept.digest, kept.number, kept.author, kept.approver, kept.reason, kept.idle, tuple(why), kept.content)
