"""Files of what is expected. RAINGAUGE_GOLDEN=rewrite writes them; read the diff."""

import os
from pathlib import Path

DATA = Path(__file__).parent / "data"


def golden(path: Path, found: str) -> None:
    if os.environ.get("RAINGAUGE_GOLDEN") == "rewrite":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
