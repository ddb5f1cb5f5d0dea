"""Steps of the VM registry's tables."""
