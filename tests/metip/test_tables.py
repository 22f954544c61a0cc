"""Tables beside the code."""

from pathlib import Path

import pytest
from ruamel.yaml.error import YAMLError

from metip.tables import read_table


def test_a_table_lies_beside_its_module_and_has_each_key_once(tmp_path: Path) -> None:
    (tmp_path / "table.yaml").write_text("BOX K:\n  mark: 4 label\n", encoding="utf-8")
    assert read_table(str(tmp_path / "module.py"), "table.yaml") == {"BOX K": {"mark": "4 label"}}
    (tmp_path / "table.yaml").write_text("BOX K: 1\nBOX K: 2\n", encoding="utf-8")
    with pytest.raises(YAMLError, match="duplicate key"):
        read_table(str(tmp_path / "module.py"), "table.yaml")
