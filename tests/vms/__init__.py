"""VMs as people bring them in, look at them and move them."""
