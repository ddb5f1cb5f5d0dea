"""Migrations of the tables of the registry's server."""
