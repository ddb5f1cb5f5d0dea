"""Migrations, one folder a part, run by `reconciler.adapters.sql.migrate`. Each stands alone: it imports nothing of ours."""
