"""One cycle on a world in memory, and what it is made of."""
