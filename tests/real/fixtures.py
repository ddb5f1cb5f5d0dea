"""The pytest fixtures over the real parts, and the hooks that start the servers early, once per run, and stop them at the end.

| fixture | gives |
|---|---|
| `api_server` | `ApiServer`: the run's kube-apiserver with Istio's newest CRDs; shared, so stay in your own namespace |
| `namespace` | a namespace of its own for this test |
| `new_namespace` | a function that creates more of them: `new_namespace("web")` |
| `kubectl` | `Kubectl`: runs kubectl as the administrator: `kubectl("get", "se", "-A")`, `kubectl.within(namespace)(...)` |
| `kubectl_path` | the path of that kubectl, for what needs no cluster |
| `api_server_proxy` | `Proxy` in front of the API server: latency, resets, lost answers, canned answers |
| `proxied_api_server` | `ApiServer` as seen through that proxy |
| `restartable_api_server` | `ApiServerProcess`: an instance for this test alone, to kill, pause and start again |
| `postgresql` | the URL of an empty PostgreSQL database for this test |
| `prometheus` | `Prometheus`: the run's Prometheus, shared; `prometheus.scrape(...)` adds targets |
| `exporter` | `Exporter` that this Prometheus scrapes, for one test at a time: it begins without series |
| `restartable_prometheus` | `PrometheusProcess`: an instance for this test alone, to kill, pause and start again |
| `istiod` | `Istiod`: an istiod on the run's API server, which serves endpoints to proxies |
| `consul` | `Consul`: a Consul for all tests of this worker: have a target of your own |
| `network` | `Network`: network namespaces as VMs, on a bridge of this test's own |
| `https` | `GitHttps`: a Git server over https for the bare repositories below `git_root`; `authority` signed for it |
| `istio_crds` | a function from "lowest" or "newest" to the file with those CRDs |
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from tests.real import keeper, report
from tests.real import postgresql as server_of_postgresql
from tests.real.apiserver import ApiServer
from tests.real.apiserver_process import ApiServerProcess
from tests.real.consul_process import Consul, ConsulProcess
from tests.real.crds import Which, crds
from tests.real.exporter import Exporter
from tests.real.git_https import Authority, GitHttps
from tests.real.istiod_process import Istiod, IstiodProcess
from tests.real.kubectl import Kubectl, find
from tests.real.locations import Progress, write_whole
from tests.real.missing import PartMissing
from tests.real.netns import Network
from tests.real.prometheus_process import Prometheus, PrometheusProcess
from tests.real.proxy import Proxy

NEEDS: dict[str, keeper.Part] = {
    "api_server": "api-server",
    "restartable_api_server": "api-server",
    "postgresql": "postgresql",
    "prometheus": "prometheus",
    "restartable_prometheus": "prometheus",
    "istiod": "istiod",
    "consul": "consul",
}
"""Fixture name -> the server it needs. Any test that uses one, directly or not, carries the marker `real`."""

SHARED: dict[str, keeper.Name] = {"api_server": "api-server", "postgresql": "postgresql", "prometheus": "prometheus"}
"""Those whose server is started once per run."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of this run share."""
    if not _is_worker(config):
        run = Path(tempfile.mkdtemp(prefix="mesh-reconciler-tests-"))
        write_whole(run / "controller", str(os.getpid()))
        os.environ[report.RUN] = str(run)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever cancels a run gets the same tidy end as by ctrl-C


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a real part, so that `-m "not real"` leaves them out."""
    for item in items:
        if NEEDS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Get what the chosen tests need and start the servers, before any test and its time limit begin."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for fixture, part in NEEDS.items():
        if fixture in wanted:
            _start_early(part, _progress(session.config), SHARED.get(fixture))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop every server, also after ctrl-C, and close with a line on the real parts."""
    if _is_worker(config) or report.RUN not in os.environ:
        return
    run = report.run_folder()
    keeper.stop_all(run)
    writer = config.get_terminal_writer()
    for line in report.closing_lines(run):
        loud = line.startswith("REAL PARTS MISSING")
        writer.line(line, red=loud, bold=loud)
    del os.environ[report.RUN]
    shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def api_server() -> ApiServer:
    """The run's kube-apiserver on etcd with Istio's newest CRDs, shared by all workers: write in your own namespace only."""
    with report.needed("kube-apiserver"):
        server = ApiServer.from_json(_answer("api-server"))
    for part in (f"kube-apiserver {server.version}", f"etcd {server.etcd_version}", f"Istio CRDs {server.istio_version}"):
        report.used(part)
    return server


@pytest.fixture
def new_namespace(api_server: ApiServer, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A function that creates a namespace which no other test knows, and returns its name; the argument becomes part of it."""

    def create(purpose: str) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", f"{purpose}-{request.node.name.removeprefix('test_')}".lower())
        name = f"{words[:40].strip('-')}-{secrets.token_hex(4)}"
        api_server.kube.create_namespace(name)
        return name

    return create


@pytest.fixture
def namespace(new_namespace: Callable[[str], str]) -> str:
    """The name of a new namespace for this test alone."""
    return new_namespace("t")


@pytest.fixture(scope="session")
def kubectl_path() -> Path:
    """The kubectl of the tests, without a cluster: it renders kustomize folders."""
    with report.needed("kubectl"):
        return find()
    raise AssertionError("needed() has ended the test")


@pytest.fixture
def kubectl(api_server: ApiServer, kubectl_path: Path, tmp_path: Path) -> Kubectl:
    """Runs kubectl with the administrator's kubeconfig."""
    return Kubectl(kubectl_path, api_server.kubeconfig, tmp_path)


@pytest.fixture
def api_server_proxy(api_server: ApiServer) -> Iterator[Proxy]:
    """A proxy in front of the run's API server, without faults at first."""
    with Proxy(api_server.url, ca=api_server.ca, certificate=api_server.certificate) as proxy:
        yield proxy


@pytest.fixture
def proxied_api_server(api_server: ApiServer, api_server_proxy: Proxy, tmp_path: Path) -> ApiServer:
    """The run's API server as seen through `api_server_proxy`: its url and kubeconfig lead there."""
    return api_server.behind(api_server_proxy.url, tmp_path / "proxied-kubeconfig")


@pytest.fixture
def restartable_api_server(tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A running API server for this test alone (`.server` is its value): kill, pause, resume, start, forget_history.

    It takes five seconds to start; promise several things in one test.
    """
    with report.needed("kube-apiserver"):
        keeper.refuse_if_failed("api-server", report.run_folder())
        process = ApiServerProcess(tmp_path / "api-server", lambda _: None)
        try:
            process.start()
            report.used(f"kube-apiserver {process.server.version}")
            report.used(f"etcd {process.server.etcd_version}")
            yield process
        finally:
            process.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of the run's PostgreSQL server; tests want `postgresql`."""
    with report.needed("PostgreSQL"):
        url = _answer("postgresql")
    report.used(f"PostgreSQL {server_of_postgresql.version(url)}")
    return url


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty database for this test alone, `postgresql://postgres@127.0.0.1:PORT/NAME`; dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    yield server_of_postgresql.create_database(postgresql_server, name)
    server_of_postgresql.drop_database(postgresql_server, name)


@pytest.fixture(scope="session")
def prometheus() -> Prometheus:
    """The run's Prometheus, shared by all workers: tell your series from others' by a label of your own."""
    with report.needed("Prometheus"):
        server = Prometheus.from_json(_answer("prometheus"))
    report.used(f"Prometheus {server.version}")
    return server


@pytest.fixture(scope="session")
def scraped_exporter(prometheus: Prometheus) -> Iterator[Exporter]:
    """One exporter for all tests of this worker, since Prometheus takes seconds to find a new one; tests want `exporter`."""
    with Exporter() as one:
        prometheus.scrape(one.name, one.address, test=one.name)
        yield one
        prometheus.forget(one.name)


@pytest.fixture
def exporter(scraped_exporter: Exporter) -> Iterator[Exporter]:
    """An exporter whose series the run's Prometheus has, labelled with `test`: its name."""
    yield scraped_exporter
    scraped_exporter.clear()


@pytest.fixture
def restartable_prometheus(tmp_path: Path) -> Iterator[PrometheusProcess]:
    """A running Prometheus for this test alone (`.server` is its value): kill, pause, resume, start."""
    with report.needed("Prometheus"):
        keeper.refuse_if_failed("prometheus", report.run_folder())
        process = PrometheusProcess(tmp_path / "prometheus", lambda _: None)
        try:
            process.start()
            report.used(f"Prometheus {process.server.version}")
            yield process
        finally:
            process.stop()


@pytest.fixture(scope="session")
def istiod(api_server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Istiod]:
    """An istiod on the run's API server, shared by all tests of this worker."""
    with report.needed("istiod"):
        keeper.refuse_if_failed("istiod", report.run_folder())
        process = IstiodProcess(tmp_path_factory.mktemp("istiod") / "data", api_server, lambda _: None)
        try:
            found = process.start()
            report.used(f"istiod {found.version}")
            yield found
        finally:
            process.stop()


@pytest.fixture(scope="session")
def consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consul]:
    """A Consul server with ACLs that deny by default, shared by all tests of this worker."""
    with report.needed("Consul"):
        keeper.refuse_if_failed("consul", report.run_folder())
        process = ConsulProcess(tmp_path_factory.mktemp("consul") / "data", lambda _: None)
        try:
            found = process.start()
            report.used(f"Consul {found.version}")
            yield found
        finally:
            process.stop()


@pytest.fixture
def network() -> Iterator[Network]:
    """A bridge with an address here, and VMs behind it: network namespaces that `network.add(11)` makes."""
    with ExitStack() as opened:
        with report.needed("network namespaces"):
            network = opened.enter_context(Network())
        report.used("network namespaces")
        yield network


@pytest.fixture(scope="session")
def git_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the servers serve."""
    return tmp_path_factory.mktemp("git-root")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody else trusts."""
    with report.needed("openssl"):
        return Authority.create(tmp_path_factory.mktemp("authority") / "ca")
    raise AssertionError("needed() has ended the test")


@pytest.fixture(scope="session")
def https_server(git_root: Path, authority: Authority) -> Iterator[GitHttps]:
    """The worker's Git server over https; tests want `https`."""
    with GitHttps(git_root, authority) as server:
        report.used("git over https")
        yield server


@pytest.fixture
def https(https_server: GitHttps) -> Iterator[GitHttps]:
    """The Git server over https, without faults at first."""
    https_server.heal()
    yield https_server
    https_server.heal()


@pytest.fixture(scope="session")
def istio_crds() -> Callable[[Which], Path]:
    """A function that returns the file with all of Istio's CRDs, of the lowest or the newest covered version."""

    def find_crds(which: Which) -> Path:
        with report.needed(f"Istio's {which} CRDs"):
            return crds(which)
        raise AssertionError("needed() has ended the test")

    return find_crds


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _start_early(part: keeper.Part, progress: Progress, shared: keeper.Name | None) -> None:
    run = report.run_folder()
    try:
        keeper.refuse_if_failed(part, run)
        keeper.prepare(part, progress)
        if shared:
            _spawn(shared, run)
    except PartMissing as missing:
        # The tests that need it will find this instead of a server, and say so one by one.
        write_whole(run / f"{part}.failed", str(missing))


def _answer(name: keeper.Name) -> str:
    """Return what the run's server answers. It has been started early, unless no test asked for it by name."""
    run = report.run_folder()
    keeper.refuse_if_failed(name, run)
    _spawn(name, run)
    return keeper.answer(name, run)


def _spawn(name: keeper.Name, run: Path) -> None:
    keeper.spawn(name, run, watch=int((run / "controller").read_text(encoding="utf-8")))


def _progress(config: pytest.Config) -> Progress:
    capture = config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(f"real parts: {line}", file=sys.__stderr__, flush=True)

    return tell
