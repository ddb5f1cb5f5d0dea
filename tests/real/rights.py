"""The rights that `deploy/` gives, for tests that must do with them."""

import re
from typing import Any

import yaml

from tests.real.locations import PROJECT


def deployed_rules(names: str) -> list[dict[str, Any]]:
    """The rules of all roles whose names match, as they are deployed."""
    documents = yaml.safe_load_all((PROJECT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
    roles = [
        one for one in documents if one["kind"] in ("Role", "ClusterRole") and re.fullmatch(names, one["metadata"]["name"])
    ]
    return [rule for role in roles for rule in role["rules"]]
