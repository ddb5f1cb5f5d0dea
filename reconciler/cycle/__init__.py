"""One cycle and what it is made of, when it runs, and what can be told without one.

    run          read, decide, save, act, report
    service      when cycles run
    target       the world that a cycle lives in, what its operator decided, what a person says with one run
    sight        what one cycle has found out, and what it comes to
    observing    what both stores hold, as one value
    deciding     where they differ from what is wanted now
    fights       other writers who put fields back
    authority    whether this process may write: the lease and the store behind it
    recovery     what is known again after a crash or a loss
    release      the way out: objects go to another manager as they are
    status       the state of a target, from the state store and the lease alone

It has no opinions: `core` has them.
"""
