"""What runs on a VM: probes its workloads, tells the registry how they are, and keeps the credential that it is known by.

Standard library only, Python 3.9 or later, packed as one file (`vms/agent_file.py`). It must not know the rest of the package:
a VM has neither its dependencies nor its Python. Its values are NamedTuples, since dataclasses take a tenth of the 25 MB that
it may have.

    config        agent.json -> Config, or every problem in it
    probe         the probe of a WorkloadGroup -> Probe, with Istio's defaults
    health        outcomes of probes -> health, by the thresholds; pure
    line          a connection with one deadline for all that happens on it
    checks        carry out one probe: http, tcp, exec, grpc
    grpc          gRPC's health service over just enough of HTTP/2
    watching      one thread a workload, which probes it
    conversation  what the registry's answers mean: what is kept, said, and when it is asked again; pure
    registry      one exchange with the registry
    vault         credential and join tokens in files
    bell          how threads and signals wake the one that waits
    agent         the loop: join or report, take in the answer, wait
    main          arguments, log, signals
"""
