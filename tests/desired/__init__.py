"""Git's side of a cycle."""
