"""Plumbing of the adapters that call addresses which a person gave: where we may go, and one bounded exchange with it.

A name is resolved once, its addresses are checked, and the connection goes to the very address that was checked; redirects are
answers like any other and followed by nobody. What comes back is read up to a size and for a time.
"""
