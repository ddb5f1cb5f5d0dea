"""The command line: one module per group of commands, each a thin shell over `wiring` and `cycle`. Only here is anything printed."""
