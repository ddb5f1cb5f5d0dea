"""Steps of the lease's table."""
