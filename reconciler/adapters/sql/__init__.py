"""What the SQL adapters share: a database by URL, safe files, transactions, schemas and their migrations.

What belongs here: everything that is the same for the VM registry, the state store and the lease. What must not be known
here: what any of their tables means to the cycle. The adapters beside this package hold the queries.

    location   a URL that a person gave -> where the database is, how it may be shown, which texts are secret
    files      a SQLite file that nobody else can read or replace
    database   transactions: each either happened or did not; foreign errors translated
    together   transactions of several threads as one
    watch      hear of changes that any process makes
    schema     the parts (registry, state, lease), each with tables and a version of its own
    migrate    bring a part's tables to the version that this program knows; refuse newer ones
    migrations/PART/vNNNN_*.py  the steps, run by alembic, which is imported only when there is something to do

To change a table: change it in `schema_PART.py`, add the next numbered file under `migrations/PART`, append its number to the
part's `revisions`. A test compares what the migrations make with what the tables say.
"""
