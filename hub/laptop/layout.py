"""Where things lie in a laptop's home folder (`.metip`), and nothing else."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET = 107
# A system's name has at most 31 letters (`metip new`), and its façade's socket is the longest.
LONGEST_NAME = len("facade-.sock") + 31
DEVELOPER = "developer"
EDGE = "edge"
TRUST_DOMAIN = "metip.local"


@dataclass(frozen=True)
class Home:
    """The folder that `metip up` keeps everything in."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """The home at a path, which need not exist yet."""
        return cls(path.resolve())

    @property
    def identity(self) -> Path:
        """Keys, certificates, token issuer."""
        return self.root / "identity"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """What outlives the processes."""
        return self.root / "state"

    @property
    def journals(self) -> Path:
        """The journals of adapters and hub, which the hub gathers into the ledger."""
        return self.state / "journals"

    @property
    def ledger_keys(self) -> Path:
        """Keys of the ledger: `index`, `sealing`, `signing`."""
        return self.identity / "ledger"

    @property
    def run(self) -> Path:
        """Sockets. A unix socket's path may have 107 bytes, so a deep home keeps them in the system's temporary folder."""
        inside = self.root / "run"
        if len(str(inside)) + 1 + LONGEST_NAME <= LONGEST_SOCKET:
            return inside
        digest = hashlib.blake2b(str(self.root).encode(), digest_size=6).hexdigest()
        return Path(tempfile.gettempdir()) / f"metip-{digest}"

    @property
    def hub_settings(self) -> Path:
        """The hub's settings file."""
        return self.root / "hub.yaml"

    @property
    def access(self) -> Path:
        """The access policy."""
        return self.root / "access.yaml"

    @property
    def traffic(self) -> Path:
        """How calls are shared among several systems behind one interface."""
        return self.root / "traffic.yaml"

    @property
    def migration(self) -> Path:
        """How interfaces are moved from the old platform to the new one."""
        return self.root / "migration.yaml"

    @property
    def retention(self) -> Path:
        """For how long the ledger keeps what is personal."""
        return self.root / "retention.yaml"

    @property
    def witness_keys(self) -> Path:
        """Keys of the ledger's witness."""
        return self.identity / "witness"

    @property
    def witness_settings(self) -> Path:
        """The witness's settings file."""
        return self.root / "witness.yaml"

    @property
    def witness_socket(self) -> Path:
        """Where the witness is reached, by the ledger alone."""
        return self.run / "witness.sock"

    @property
    def metrics(self) -> Path:
        """Where each process says at which address its metrics are, in the form of Prometheus's `file_sd_configs`."""
        return self.root / "metrics"

    @property
    def bootstrap(self) -> Path:
        """Envoy's own file."""
        return self.root / "envoy.yaml"

    @property
    def access_log(self) -> Path:
        """One line for each call that reached the edge."""
        return self.logs / "access.log"

    @property
    def console_socket(self) -> Path:
        """Where the hub gives out the console's files, to Envoy alone."""
        return self.run / "console.sock"

    @property
    def console_log(self) -> Path:
        """One line for each call that reached the console's listener."""
        return self.logs / "console.log"

    @property
    def processes(self) -> Path:
        """What runs now, for `metip status` and for tests."""
        return self.root / "processes.json"

    @property
    def hub_socket(self) -> Path:
        """Where the hub is reached."""
        return self.run / "hub.sock"

    @property
    def admin_socket(self) -> Path:
        """Where Envoy's admin interface is reached."""
        return self.run / "envoy.sock"

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"
