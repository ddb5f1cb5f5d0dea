"""Rollouts between store, gates and cycle."""
