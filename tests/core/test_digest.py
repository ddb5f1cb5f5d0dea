"""What a digest binds."""

from dataclasses import replace

from reconciler.core.digest import digest
from reconciler.core.jobs import Job
from reconciler.core.resources import Document, Revision
from reconciler.core.units import Unit
from reconciler.core.writes import writes_of
from tests.core.meshes import entry, there, updating, vm

REVISION = Revision("a" * 40)
VM1, VM2 = vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2")


def job(*pairs: tuple[Document, Document], name: str = "shop/billing") -> Job:
    """A job with these updates."""
    writes = writes_of([updating(before, after) for before, after in pairs], there(*(before for before, _ in pairs)))
    return Job(name, Unit(name, ()), tuple(writes))


JOB = job((VM1, vm("vm1", "10.0.0.9")), (VM2, vm("vm2", "10.0.0.8")))
ONE = digest("test", REVISION, [JOB], ["a", "b"])


def test_content_commit_target_steps_and_overrides_are_bound() -> None:
    """Another value of any of them is another digest."""
    other = job((VM1, vm("vm1", "10.0.0.7")), (VM2, vm("vm2", "10.0.0.8")))
    before = job((vm("vm1", "10.0.0.3"), vm("vm1", "10.0.0.9")), (VM2, vm("vm2", "10.0.0.8")))
    others = [
        digest("other", REVISION, [JOB], ["a", "b"]),
        digest("test", Revision("b" * 40), [JOB], ["a", "b"]),
        digest("test", REVISION, [other], ["a", "b"]),
        digest("test", REVISION, [before], ["a", "b"]),
        digest("test", REVISION, [replace(JOB, name="other")], ["a", "b"]),
        digest("test", REVISION, [JOB], ["a", "b"], {JOB.writes[0].key: "r1"}),
        digest("test", REVISION, [JOB], ["a"]),
    ]
    assert len({ONE, *others}) == 8


def test_orders_and_versions_are_not_bound() -> None:
    """Writes and overrides in another order, a newer version of an object, an author's name."""
    turned = job((VM2, vm("vm2", "10.0.0.8")), (VM1, vm("vm1", "10.0.0.9")))
    newer = replace(JOB, writes=tuple(replace(one, change=replace(one.change, resource_version="99")) for one in JOB.writes))
    for found in (turned, newer):
        assert digest("test", replace(REVISION, author="Jo"), [found], ["b", "a", "a"]) == ONE
    two = job((entry(), entry(app="x")), name="shop/other")
    both = [digest("test", REVISION, jobs, []) for jobs in ([JOB, two], [two, JOB])]
    assert both[0] == both[1]
