"""Façades of a home: found by their folders, given identities and settings, and none where no port was asked for."""

from pathlib import Path

from hub.contracts.folders import adapters_folder
from hub.identity import Store, describe, issue
from hub.laptop.facades import doors, health_socket
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare


def adapters(folder: Path, *names: str) -> Path:
    """A folder of adapters, of which these have a façade."""
    for name in names:
        (folder / name / "facade").mkdir(parents=True)
        (folder / name / "facade" / "__main__.py").touch()
    (folder / "plain").mkdir()
    return folder


def test_facades_are_found_by_their_folders_and_take_one_port_after_the_other(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    found = list(doors(home, 8445, adapters(tmp_path / "adapters", "two", "one")))
    assert [(one.system, one.name, one.port) for one in found] == [("one", "facade-one", 8445), ("two", "facade-two", 8446)]
    assert found[0].command[1:] == ("-m", "adapters.one.facade", "--settings", str(home.root / "facade-one.yaml"))
    assert list(doors(home, 0, tmp_path / "adapters")) == []


def test_a_home_has_identities_and_settings_for_each_facade_and_for_each_consumer_that_was_added(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    prepare(home, Ports(1, 2, 3, soap=4))
    (one,) = doors(home, 4, adapters_folder())
    store = Store(home.identity)
    own, held = describe(store.certificate(one.name)), describe(store.certificate(f"{one.name}-developer"))
    assert (own.spiffe_ids, own.dns) == ((f"spiffe://metip.local/facade/{one.system}",), ("localhost",))
    assert (held.spiffe_ids, held.dns) == (("spiffe://metip.local/consumer/developer",), ())
    assert held.serial != describe(store.certificate("developer")).serial
    issue(store, "spiffe://metip.local/consumer/crime-desk", name=f"{one.name}-crime-desk")
    prepare(home, Ports(1, 2, 3, soap=4))
    text = one.settings.read_text()
    assert [line.strip() for line in text.splitlines() if line.startswith("  - ")] == [
        f"- identity/{one.name}-crime-desk",
        f"- identity/{one.name}-developer",
    ]
    assert "edge: 127.0.0.1:1\n" in text
    assert f"health_socket: {health_socket(home, one.name)}" in text
    assert one.settings.stat().st_mode & 0o077 == 0


def test_without_a_port_there_is_nothing_of_a_facade(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    prepare(home, Ports(1, 2, 3))
    assert [name for name in Store(home.identity).names() if name.startswith("facade-")] == []
    assert list(home.root.glob("facade-*")) == []
