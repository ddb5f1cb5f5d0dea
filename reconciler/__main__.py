"""``python -m reconciler``: the command, where it is not on the path."""

from reconciler.cli.main import main

main(prog_name="reconciler")
