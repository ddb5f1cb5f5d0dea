"""The VM registry's server: what agents and operators talk to over HTTP.

    ledger       a fleet's state in memory and in its store; decisions about it, one after the other
    mark         how far the record was, kept apart from it
    hearing      signs of life, and since when silence counts
    publishing   statuses into the VM registry's records
    registrar    what agents ask for: join, heartbeat, leave
    watchman     what is done without being asked, at every tick: store signs, read what others wrote, sweep, publish
    proving      whether a VM is where it says
    limits       how often somebody may ask
    doors        who comes in: sources, secrets, how often
    shedding     who is turned away while there is too much to do
    caps         how much a request may carry
    models       the bodies of requests and answers
    problems     errors as RFC 9457 has them
    agents       join, heartbeat, leave
    pages        what operators are shown
    operators    list, show, drain, undrain, revoke, tokens, watch, brake, recovery, audit
    app          all of it as one FastAPI application
    connections  connections that say nothing
    certificates whose certificate a connection shows, which credentials are bound to
    server       the application on a socket, with TLS, until it is told to stop

An answer to a heartbeat that changes nothing touches no database: state is in memory, in the event loop's thread, and signs of
life are stored in batches. What changes something is stored before it is answered. What is not known here: SQL, Istio, and how
the reconciler goes by the statuses that it finds in the registry.
"""
