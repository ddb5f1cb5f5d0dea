"""Steps of the state store's tables."""
