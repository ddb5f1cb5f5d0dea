"""The command line: a module per group of commands, thin shells over `wiring` and `cycle`. Only here is anything printed."""
