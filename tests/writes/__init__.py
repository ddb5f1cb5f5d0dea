"""Plans carried out, write by write."""
