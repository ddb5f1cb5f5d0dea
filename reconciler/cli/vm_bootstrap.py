"""`vm bootstrap`: what VMs need to join."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import namespace_and_name, some_options, take_settings
from reconciler.cli.show import failing, table
from reconciler.errors import InvalidInput, SetupCode

if TYPE_CHECKING:
    from reconciler.core.enrolment.vm import EnrolledVM
    from reconciler.ports import Cluster, VMRegistry
    from reconciler.settings import Settings
    from reconciler.vms.enrolling import Bundle, Order

#: The forms of `bundles.Form`; the name of a folder may be any other.
FORMS = ("dir", "csv", "cloud-init", "ansible")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("name", metavar="[NAMESPACE/NAME]", required=False)
@click.option("--group", metavar="NAMESPACE/NAME", help="All VMs of this WorkloadGroup.")
@click.option(
    "--new",
    "count",
    type=click.IntRange(1, 1000),
    help="So many new VMs of the --group, which lets VMs join by mesh-reconciler.io/autoRegister.",
)
@click.option("-o", "--output", "form", metavar="DIR|FORM", required=True, help=f"Folder, or a form: {', '.join(FORMS)}.")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder for what -o names a form of.")
@click.option("--server", metavar="URL", required=True, help="The registry's server, as the VMs reach it.")
@click.option("--server-ca", type=_FILE, help="Authorities of its certificate (PEM).  [default: the VM's]")
@click.option("--cert-file", default="", metavar="PATH", help="Where the VMs have a certificate, if that server asks for one.")
@click.option("--key-file", default="", metavar="PATH", help="Where they have its key.")
@click.option("--operator-token", type=_FILE, help="File with an operator's token: each VM then gets a join token.")
@click.option("--operator-url", metavar="URL", help="Where operators reach that server.  [default: --server]")
@click.option(
    "--join-from",
    multiple=True,
    metavar="CIDR",
    help="Whence the join token may be used.  [default: the VM's address, for a new VM the networks of its group]",
)
@click.option("--join-token", type=click.File(), help="File with a join token, for one VM; - reads standard input.")
@click.option("--istio-namespace", default="istio-system", show_default=True, help="Where istiod is.")
@click.option("--revision", default="", metavar="NAME", help="Revision of istiod.")
@click.option("--cluster-id", metavar="NAME", help="Name of the cluster.  [default: the sidecar injector's]")
@click.option(
    "--ingress-ip", default="", metavar="IP", help="Where VMs reach istiod.  [default: the address of --ingress-service]"
)
@click.option(
    "--ingress-service",
    default="istio-eastwestgateway",
    metavar="NAME[.NAMESPACE]",
    show_default=True,
    help="Gateway to istiod.",
)
@click.option("--svc-ip", type=click.Choice(["internal", "external"]), help="As istioctl's --internalIP or --externalIP.")
@click.option("--capture-dns/--no-capture-dns", default=True, show_default=True, help="Let the sidecar answer DNS.")
@click.option("--token-duration", default=3600, show_default=True, help="Seconds for which the tokens are good.")
@some_options("config", "target", "kubeconfig", "context", "registry", "data")
@failing
def bootstrap(*, name: str | None, group: str | None, count: int | None, form: str, to: Path | None, **options: Any) -> int:
    r"""Write what a VM, or each VM of a group, needs to join the mesh and the registry.

    That is Istio's five files, as `istioctl x workload entry configure` writes them, the agent with its configuration and unit,
    and join.sh, which puts all of it in place. Some of it is secret: files are written for you alone, and never inside a Git
    working copy.

    \b
    reconciler vm bootstrap shop/billing-1 --server https://registry:8443 -o ~/join
    reconciler vm bootstrap --group shop/billing --server https://registry:8443 -o ansible --to ~/join
    reconciler vm bootstrap --group shop/web --new 20 --server https://registry:8443 -o cloud-init --to ~/join
    """
    from reconciler.vms.bundles import Form, laid_out
    from reconciler.vms.private import check_private, write_private

    if bool(name) == bool(group):
        raise InvalidInput("name one VM, or a --group", code=SetupCode.OPTION)
    if count and (name or options["svc_ip"]):
        raise InvalidInput(
            "--new is for a --group, and not together with --svc-ip: nobody knows the addresses yet", code=SetupCode.OPTION
        )
    folder = to if form in FORMS else Path(form).expanduser()
    if folder is None or (to is not None and form not in FORMS):
        raise InvalidInput("-o takes a folder, or a form together with --to DIR", code=SetupCode.OPTION)
    check_private(folder)
    bundles = _bundles(name, group, count, options)
    if name and form not in FORMS:
        write_private(folder, bundles[0].files)
    else:
        write_private(folder, laid_out(Form(form) if form in FORMS else Form.DIR, bundles))
    _tell(bundles, folder)
    return 0


def _bundles(name: str | None, group: str | None, count: int | None, options: dict[str, Any]) -> "tuple[Bundle, ...]":
    from reconciler import wiring
    from reconciler.vms.enrolling import Enroller

    with ExitStack() as open_parts:
        order = _order(options)
        settings = take_settings({key: value for key, value in options.items() if key not in _OWN})
        join_token = _join_tokens(settings, options, order.lifetime, open_parts, alone=bool(name))
        registry = wiring.vm_registry(settings, clock := wiring.system_clock())
        if registry is None:
            raise InvalidInput("there is no VM registry: --registry says none", code=SetupCode.OPTION)
        open_parts.callback(registry.close)
        cluster, _ = wiring.kubernetes(settings, clock)
        open_parts.callback(cluster.close)
        enrolment = wiring.enrolment(settings, clock)
        open_parts.callback(enrolment.close)
        vms = _found(name, group or "", count, registry, cluster)
        enroller = Enroller(enrolment, order, join_token)
        bundles = tuple(enroller.bundle(vm) for vm in vms)
        if enroller.unreachable:
            click.echo("warning: nobody knows where VMs reach istiod, so `hosts` is empty; say --ingress-ip", err=True)
        return bundles


def _found(
    name: str | None, group: str, count: int | None, registry: "VMRegistry", cluster: "Cluster"
) -> "tuple[EnrolledVM, ...]":
    from reconciler.vms.enrolling import find_group, find_vm, newcomers, vm_key

    if name:
        return (find_vm(vm_key(*namespace_and_name(name)), registry, cluster),)
    if count:
        return newcomers(*namespace_and_name(group), count, cluster)
    return find_group(*namespace_and_name(group), registry, cluster)


#: What is an option of this command alone.
_OWN = frozenset(
    "server server_ca cert_file key_file operator_token operator_url join_from join_token istio_namespace revision "
    "cluster_id ingress_ip ingress_service svc_ip capture_dns token_duration".split()
)


def _order(options: dict[str, Any]) -> "Order":
    from reconciler.core.enrolment.istio import SvcIp
    from reconciler.vms.enrolling import Order

    service, _, namespace = options["ingress_service"].partition(".")
    return Order(
        server=options["server"],
        ca=options["server_ca"].read_bytes() if options["server_ca"] else b"",
        certificate=(options["cert_file"], options["key_file"]),
        namespace=options["istio_namespace"],
        revision=options["revision"],
        cluster=options["cluster_id"],
        ingress=options["ingress_ip"],
        gateway=(namespace or options["istio_namespace"], service),
        svc_ip=SvcIp(options["svc_ip"]) if options["svc_ip"] else None,
        capture_dns=options["capture_dns"],
        lifetime=timedelta(seconds=options["token_duration"]),
    )


def _join_tokens(
    settings: "Settings", options: dict[str, Any], lifetime: timedelta, open_parts: ExitStack, *, alone: bool
) -> "Callable[[EnrolledVM], str]":
    """Return what gives a join token to a VM: from the registry's server, from a file, or none."""
    from reconciler import wiring

    given, operator = options["join_token"], options["operator_token"]
    if given is not None:
        if operator or not alone:
            raise InvalidInput("--join-token is for one VM, and not together with --operator-token", code=SetupCode.OPTION)
        token = given.read().strip()
        return lambda _: token
    if operator is None:
        return lambda _: ""
    url, own = options["operator_url"] or options["server"], settings.registry_server
    authorities = options["server_ca"] or own.operator_ca_file
    tokens = wiring.join_tokens(url, operator, authorities, own.operator_certificate_file)
    open_parts.callback(tokens.close)
    return lambda vm: tokens.issue(vm, _whence(vm, options["join_from"]), lifetime)


def _whence(vm: "EnrolledVM", said: tuple[str, ...]) -> tuple[str, ...]:
    """Return the networks from which a VM's token may be used."""
    if vm.newcomer and not (said or vm.networks):
        raise InvalidInput("the group names no networks: say --join-from, where its new VMs will be", code=SetupCode.OPTION)
    return said or vm.networks or (vm.address,)


def _tell(bundles: "tuple[Bundle, ...]", folder: Path) -> None:
    from reconciler.reports.safe import clean
    from reconciler.vms.enrolling import JOIN_TOKEN

    rows = [
        (str(one.vm), one.vm.address, one.vm.workload, one.vm.service_account, "yes" if JOIN_TOKEN in one.files else "no")
        for one in bundles
    ]
    table(("VM", "address", "workload", "service account", "join token"), rows)
    click.echo(clean(f"written to {folder}, for you alone; run join.sh on the VM as root, then remove these files"))
    if any(JOIN_TOKEN not in one.files for one in bundles):
        click.echo("without a join token the agent waits for one: put it beside join.sh as the file join-token")
