"""The embedded mesh behind `reconciler demo`: memory cluster, simulated VMs and Pods, and the story that is pushed to it."""
