"""Four eyes on a change of policy: what holds as an approval, what stays in force without one, and what is recorded."""

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.access import approving
from hub.access.standing import Standing, keep, standing
from hub.cli import main
from hub.configuring import Configuring
from hub.contracts import load
from hub.mesh.control import Control, Inputs
from hub.mesh.inputs import Policy
from hub.mesh.publisher import Publisher
from hub.settings import Settings, read
from hub.sources import read_edge, rules, watched
from metip.logs import Log
from metip.settings import SettingsError

CONTRACTS = load(date(2026, 11, 23))
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OLD = 'grants:\n  - {name: old, consumer: "spiffe://metip.local/consumer/old", operations: ["*"]}\n'
NEW = 'grants:\n  - {name: new, consumer: "spiffe://metip.local/consumer/new", operations: ["*"]}\n'
PEOPLE = ("lead", "deputy", "third")


class Place:
    """A home whose settings demand approval, and its people's keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {name: Ed25519PrivateKey.generate() for name in (*PEOPLE, "stranger")}
        for name, key in self.keys.items():
            private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (folder / f"{name}.key").touch(mode=0o600)
            (folder / f"{name}.key").write_bytes(private)
            public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            (folder / f"{name}.pem").write_bytes(public)
        self.write_settings(PEOPLE)

    def write_settings(self, people: tuple[str, ...], **more: str) -> None:
        edge = dict.fromkeys(("certificate", "key", "authority", "token_keys", "token_issuer", "token_audience"), "x")
        approvers = [{"name": name, "key": more.get(name, f"{name}.pem")} for name in people]
        said: dict[str, Any] = {"trust_domain": "metip.local", "socket": "s", "state": "state", "access": "access.yaml"}
        said |= {"edge": {"port": 1, "json_port": 2, **edge}, "approvals": {"required": True, "approvers": approvers}}
        (self.folder / "hub.yaml").write_text(json.dumps(said))

    @property
    def settings(self) -> Settings:
        return read(self.folder / "hub.yaml")

    @property
    def policy(self) -> Path:
        return self.folder / "access.yaml"

    def standing(self) -> Standing:
        return standing(rules(self.settings), CONTRACTS)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["access", *arguments, "--home", str(self.folder)], catch_exceptions=False)

    def approve(self, text: str, author: str = "lead", approver: str = "deputy") -> None:
        """Writes a policy, and has it proposed and approved."""
        self.policy.write_text(text)
        assert self.run("propose", "--key-file", str(self.folder / f"{author}.key"), "--reason", "a test").exit_code == 0
        assert self.run("approve", "--key-file", str(self.folder / f"{approver}.key")).exit_code == 0

    def put_in_force(self, text: str) -> None:
        """As the hub does with what is approved."""
        self.approve(text)
        now = self.standing()
        assert now.waiting == ()
        keep(rules(self.settings), now)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A home with an old policy in force."""
    found = Place(tmp_path)
    found.put_in_force(OLD)
    return found


def names(found: Standing) -> list[str]:
    return [grant.name for grant in found.policy.grants]


def test_a_policy_that_two_people_signed_for_is_in_force(place: Place) -> None:
    place.approve(NEW)
    now = place.standing()
    assert (names(now), now.number, now.author, now.approver, now.waiting) == (["new"], 2, "lead", "deputy", ())


def test_without_any_approval_nobody_may_do_anything(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.policy.write_text(NEW)
    assert (place.standing().policy, place.standing().waiting) == (Policy(), ("access.yaml.approval: is not there",))


def edit_policy(place: Place) -> None:
    place.approve(NEW)
    place.policy.write_text(NEW + "# one more line\n")


def change_only(place: Place) -> None:
    place.policy.write_text(NEW)


def propose_only(place: Place) -> None:
    place.policy.write_text(NEW)
    assert place.run("propose", "--key-file", str(place.folder / "lead.key"), "--reason", "a test").exit_code == 0


def approve_ones_own(place: Place) -> None:
    propose_only(place)
    path = approving.beside(place.policy)
    approving.write(path, approving.approved(approving.read(path), "lead", place.keys["lead"], NOW))


def sign_for_another(place: Place) -> None:
    propose_only(place)
    path = approving.beside(place.policy)
    approving.write(path, approving.approved(approving.read(path), "deputy", place.keys["lead"], NOW))


def let_a_stranger_approve(place: Place) -> None:
    propose_only(place)
    path = approving.beside(place.policy)
    approving.write(path, approving.approved(approving.read(path), "stranger", place.keys["stranger"], NOW))


def put_the_old_one_back(place: Place) -> None:
    old = approving.beside(place.policy).read_bytes()
    place.put_in_force(NEW)
    place.policy.write_text(OLD)
    approving.beside(place.policy).write_bytes(old)


def renumber(place: Place) -> None:
    place.approve(NEW)
    path = approving.beside(place.policy)
    approval = approving.read(path)
    approval.number = 7
    approving.write(path, approval)


def reword_the_reason(place: Place) -> None:
    place.approve(NEW)
    path = approving.beside(place.policy)
    approval = approving.read(path)
    approval.reason = "another reason"
    approving.write(path, approval)


def spoil_the_approval(place: Place) -> None:
    place.approve(NEW)
    approving.beside(place.policy).write_text("{")


def spoil_the_policy(place: Place) -> None:
    place.approve(NEW)
    place.policy.write_text("grants: {")


# What was done, and the words that say why it is not in force.
TRICKS: dict[str, tuple[Callable[[Place], None], str]] = {
    "changed, and nothing else": (change_only, "another policy"),
    "proposed, and not approved": (propose_only, "nobody has approved it yet"),
    "edited after it was approved": (edit_policy, "another policy"),
    "approved by its author": (approve_ones_own, "takes somebody else"),
    "signed in another's name": (sign_for_another, "the signature of its approver deputy is not valid"),
    "approved by a stranger": (let_a_stranger_approve, "none of the approvers"),
    "an old policy with its old approval": (put_the_old_one_back, "its number is 1"),
    "another number": (renumber, "not valid"),
    "another reason": (reword_the_reason, "not valid"),
    "an approval that is no file": (spoil_the_approval, "access.yaml.approval: "),
    "a policy that is no file": (spoil_the_policy, "access.yaml: "),
}


@pytest.mark.parametrize(("trick", "words"), TRICKS.values(), ids=TRICKS)
def test_what_is_not_approved_leaves_the_old_policy_in_force_and_says_why(place: Place, trick: Callable[[Place], None], words: str) -> None:
    trick(place)
    now = place.standing()
    assert names(now) == (["new"] if trick is put_the_old_one_back else ["old"])
    assert words in "; ".join(now.waiting)


def test_what_is_in_force_stays_so_though_its_approver_left(place: Place) -> None:
    place.policy.unlink()
    place.write_settings(("third", "lead"))
    assert names(place.standing()) == ["old"]


def test_two_names_with_one_key_are_one_person(place: Place) -> None:
    place.write_settings(("lead", "deputy"), deputy="lead.pem")
    with pytest.raises(SettingsError, match="it is the key of lead too"):
        place.standing()


def test_approval_by_one_person_alone_is_no_setting(place: Place) -> None:
    place.write_settings(("lead",))
    with pytest.raises(SettingsError, match="two approvers at least"):
        place.standing()


def test_a_copy_that_somebody_wrote_is_not_taken_for_the_hubs(place: Place) -> None:
    copy = rules(place.settings).copy
    copy.write_text(copy.read_text().replace("consumer/old", "consumer/me"))
    with pytest.raises(SettingsError, match="is not the copy that the hub wrote"):
        place.standing()


REFUSED = {
    "a key that is not listed": (("propose", "--key-file", "stranger.key", "--reason", "a test"), "none of the approvers"),
    "a public key": (("propose", "--key-file", "lead.pem", "--reason", "a test"), "lead.pem"),
    "what is in force": (("propose", "--key-file", "lead.key", "--reason", "a test"), "in force already"),
    "approval of one's own": (("approve", "--key-file", "lead.key"), "its author can't approve it"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_the_commands_refuse_what_the_hub_would(place: Place, arguments: tuple[str, ...], words: str) -> None:
    found = place.run(*(str(place.folder / one) if one.endswith((".key", ".pem")) else one for one in arguments))
    assert found.exit_code == 1
    assert words in found.stderr


def test_a_key_that_others_can_read_signs_nothing(place: Place) -> None:
    place.policy.write_text(NEW)
    (place.folder / "lead.key").chmod(0o644)
    found = place.run("propose", "--key-file", str(place.folder / "lead.key"), "--reason", "a test")
    assert (found.exit_code, "open to other users" in found.stderr) == (1, True)


def test_check_says_that_a_policy_waits(place: Place) -> None:
    propose_only(place)
    found = CliRunner().invoke(main, ["check", "--only", "settings", "--home", str(place.folder), "--json"])
    told = [one["what"] for one in json.loads(found.stdout)["findings"]]
    assert "access.yaml is not in force: nobody has approved it yet" in told


@pytest.mark.asyncio
async def test_the_hub_keeps_the_old_policy_until_the_new_one_is_approved_and_what_is_approved_over_a_restart(place: Place) -> None:
    (place.folder / "x").write_text("x")
    records, lines = [], io.StringIO()

    async def record(action: str, author: str, detail: str) -> None:
        records.append((action, author, json.loads(detail)["number"]))

    def started() -> tuple[Configuring, Control]:
        found = Configuring(place.settings, CONTRACTS, Log(lines), record)
        inputs = Inputs(CONTRACTS, found.standing.policy, read_edge(place.settings))
        return found, Control(Publisher(lambda: datetime.now(UTC)), inputs)

    hub, control = started()
    await hub.begin()
    place.policy.write_text(NEW)
    assert await hub.reread("access.yaml", control)
    assert [grant.name for grant in control.inputs.policy.grants] == ["old"]
    assert "access_policy_waits" in lines.getvalue()
    place.approve(NEW)
    assert approving.beside(place.policy) in watched(place.settings)
    assert await hub.reread("access.yaml.approval", control)
    assert [grant.name for grant in control.inputs.policy.grants] == ["new"]
    assert records == [("access_policy_change", "lead, approved by deputy", 2)]
    place.policy.write_text(OLD)
    hub, control = started()
    await hub.begin()
    assert [grant.name for grant in control.inputs.policy.grants] == ["new"]
    assert hub.standing.waiting
    assert len(records) == 1
