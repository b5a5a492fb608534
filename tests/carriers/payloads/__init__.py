"""What vendors answer and post, in the shapes that their documentation shows."""

import json
from pathlib import Path
from typing import Any


def payload(vendor: str, name: str) -> Any:
    """One of the files beside this, decoded."""
    return json.loads((Path(__file__).parent / vendor / f"{name}.json").read_text(encoding="utf-8"))
