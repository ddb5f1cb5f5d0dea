"""What a VM needs to join the mesh, decided from its record, its WorkloadGroup and what the cluster says. Pure.

    vm     a record and its group -> what the VM is to be in the mesh
    istio  that, and the mesh's configuration -> the files that `istioctl x workload entry configure` writes

Tokens and certificates are not known here: they are fetched, put beside these files and never looked into.
"""
