"""A home and its ports belong to one mesh at a time, and a claim ends with its process, however that ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.laptop.claiming import TakenError, check_ports, claimed, free_ports, holder
from hub.laptop.layout import Home

HOLD = "import sys\nfrom pathlib import Path\nfrom hub.laptop.claiming import claimed\nfrom hub.laptop.layout import Home\n"
HOLD += "with claimed(Home.at(Path(sys.argv[1]))):\n    print('held', flush=True)\n    sys.stdin.read()\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


def hold(home: Home) -> "subprocess.Popen[str]":
    """Another process that holds the home."""
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_home_that_somebody_runs_a_mesh_in_is_refused_by_process_id(home: Home) -> None:
    with hold(home) as other:
        assert holder(home) == other.pid
        with pytest.raises(TakenError, match=rf"already runs in {home.root} \(process {other.pid}\)") as caught, claimed(home):
            pass
        assert "--home" in caught.value.fix
        other.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_claim_of_a_process_that_was_killed_is_in_nobodys_way(home: Home, number: signal.Signals) -> None:
    with hold(home) as other:
        other.send_signal(number)
    assert holder(home) is None
    with claimed(home):
        assert holder(home) == os.getpid()
    assert holder(home) is None


def test_nobody_holds_a_home_that_does_not_exist(home: Home) -> None:
    assert holder(home) is None
    assert not home.root.exists()


def test_a_port_that_somebody_listens_on_is_named_with_others_that_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TakenError, match=f"port {port} on 127.0.0.1 is in use") as caught:
            check_ports(port)
        with pytest.raises(TakenError) as asked:
            check_ports(port, choice="--console-port {}")
    assert "--port" in caught.value.fix
    assert asked.value.fix.startswith("choose others, such as --console-port ")
    check_ports(port)


def test_free_ports_differ() -> None:
    assert len(set(free_ports(5))) == 5
