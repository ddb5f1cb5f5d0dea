"""The operator's settings: one model, three places to set it.

Read from a TOML file (`--config FILE` or `RECONCILER_CONFIG`), over it environment variables ``RECONCILER_...`` (a nested
name is written with two underscores: ``RECONCILER_GIT__TOKEN_FILE``), over both the command's options. Secrets are named by
file, never given by value.
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from reconciler.core.resources import Document
from reconciler.errors import InvalidInput, Problem, SetupCode

#: A target's name becomes a label value and part of a Lease's name.
TARGET = r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?"


def _expanded(path: Path) -> Path:
    return path.expanduser()


FilePath = Annotated[Path, AfterValidator(_expanded)]

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def _duration(value: object) -> object:
    """Read ``90s``, ``1h30m``; leave all else to pydantic (seconds as a number, ISO 8601)."""
    if not isinstance(value, str) or not re.fullmatch(r"(\d{1,9}(ms|s|m|h|d))+", value):
        return value
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h|d)", value)))
    except OverflowError as error:
        raise ValueError("is longer than any length of time can be") from error


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
#: A pause or a limit, which cannot be nothing.
Interval = Annotated[Duration, Field(ge=timedelta(seconds=1))]


def length_of(text: str) -> timedelta:
    """Return a length of time as people write it, of a second at least. Raises InvalidInput."""
    try:
        return TypeAdapter(Interval).validate_python(text)
    except ValidationError as error:
        raise InvalidInput(f"{text[:40]!r} is no length of time: write it as 90s, 30m or 2h", code=SetupCode.OPTION) from error


def _names(value: object) -> object:
    """Read ``shop,web`` and ``["shop", "web"]`` from a variable; a settings file has a list already."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else value.replace(",", " ").split()


#: `NoDecode`: otherwise a variable would have to hold JSON.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]


class GitSettings(BaseModel):
    """How the repository is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_local: bool = False
    """Accept ``file://`` URLs and local paths as repository. Command-line runs, demo and tests switch it on."""
    username: str = "git"
    """User name that goes with the token over https."""
    token_file: FilePath | None = None
    """File with a token or password for https."""
    ssh_key_file: FilePath | None = None
    """Private key for ssh."""
    known_hosts_file: FilePath | None = None
    """Host keys for ssh; unknown hosts are refused."""
    ca_file: FilePath | None = None
    """Certificate authorities for https, instead of the system's."""
    signatures: Literal["off", "warn", "enforce"] = "off"
    """What an unsigned or badly signed commit means."""
    gpg_keys_file: FilePath | None = None
    """Public GPG keys that may sign commits (armoured or binary)."""
    allowed_signers_file: FilePath | None = None
    """SSH keys that may sign commits, in ssh-keygen's allowed signers format."""
    timeout: Interval = timedelta(seconds=60)
    """Longest time for one exchange with the Git server."""
    max_files: int = Field(20_000, gt=0)
    """Most manifest files in one commit."""
    max_file_bytes: int = Field(1_048_576, gt=0)
    """Largest manifest file."""
    max_total_bytes: int = Field(268_435_456, gt=0)
    """Largest sum of all manifest files of one commit."""
    max_store_bytes: int = Field(4_294_967_296, gt=0)
    """Largest size of the local mirror."""
    kubectl: str = "kubectl"
    """Command that renders kustomize folders; looked up once, with PATH."""


class RolloutSettings(BaseModel):
    """Bounds on all rollouts, whatever RolloutPolicies say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    without_policy: Literal["careful", "at-once"] = "careful"
    """How units change that no RolloutPolicy is about: in steps of 10, 50 and 100 %, or in one."""
    largest_first_step: float = Field(100, gt=0, le=100, allow_inf_nan=False)
    """Largest exposure of a first step, in percent; where a policy asks for more, a step of so much comes before it."""
    least_hold: Duration = timedelta(0)
    """How long each step is held at least."""
    least_watch: Duration = timedelta(0)
    """How long gates stay armed at least after the last step."""
    settle: Duration = timedelta(seconds=15)
    """How long after its read-back a write counts as known to all proxies."""
    istiod: Names = ()
    """URLs of istiod's debug pages, one for each replica: a write of endpoints counts as known once all of them list it."""
    istiod_token_file: FilePath | None = None
    """File with a bearer token for them, of a service account that istiod lets read them."""
    patience: Interval = timedelta(hours=1)
    """How long a step may be kept from going on, by ill endpoints for instance, before it pauses for a person."""
    units: int = Field(10, gt=0)
    """Most units that roll at once; those of one group count as one."""


class HealthSettings(BaseModel):
    """How the health of VMs counts in the mesh."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most_out: int = Field(10, gt=0)
    """Most ill VMs of one namespace that leave load balancing within the window; one may always leave."""
    most_out_percent: int = Field(30, ge=0, le=100)
    """The same as a share of the namespace's VMs whose health counts; the stricter of both holds."""
    window: Interval = timedelta(minutes=10)
    """How long a VM that has left counts for that."""
    probe_networks: Names = ()
    """Networks such as ``10.0.0.0/8`` to which probes go from here (in the variable with commas between them); empty: none."""
    probes_at_once: int = Field(32, gt=0, le=1000)
    """Most of them at the same time."""


class QueryTemplate(BaseModel):
    """A query that gates in Git ask for by name. In it ``$name`` becomes a quoted parameter, ``$window`` a length of time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: str = Field(min_length=1)
    samples: str = ""


class GateSettings(BaseModel):
    """Whom the gates of rollouts may ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prometheus: str = ""
    """URL of Prometheus, or of what speaks its API; without it gates on metrics wait."""
    prometheus_token_file: FilePath | None = None
    """File with a bearer token for it."""
    prometheus_ca_file: FilePath | None = None
    """Certificate authorities for it, instead of the system's."""
    prometheus_timeout: Interval = timedelta(seconds=10)
    """Longest time for one query."""
    webhooks: Names = ()
    """URLs of webhooks that may be asked (in the variable with commas between them); scheme, host and port count."""
    webhook_secrets: dict[str, FilePath] = {}
    """Files with the secrets by which questions to webhooks are signed, by the name that policies use."""
    webhook_ca_file: FilePath | None = None
    """Certificate authorities for webhooks, instead of the system's."""
    networks: Names = ()
    """Networks such as ``127.0.0.0/8`` that names may lead into; without it none leads to loopback, link-local or metadata."""
    free_queries: bool = True
    """Accept queries written in Git; switch it off where several teams share a repository."""
    templates: dict[str, QueryTemplate] = {}
    """Queries that gates may ask for by name, each with ``query`` and, where it has samples to count, ``samples``."""


class PersonSettings(BaseModel):
    """A person who speaks to rollouts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    logins: Names = Field(min_length=1)
    role: Literal["viewer", "operator", "admin"] = "operator"
    emails: Names = ()


def _one_each(people: dict[str, PersonSettings]) -> dict[str, PersonSettings]:
    logins = [login for person in people.values() for login in person.logins]
    if twice := sorted({one for one in logins if logins.count(one) > 1}):
        raise ValueError(f"the login {twice[0]} belongs to two persons")
    return people


#: Names are told apart from logins and addresses.
PersonName = Annotated[str, Field(pattern=r"^[^<>@\s]([^<>@]*[^<>@\s])?$")]
People = Annotated[dict[PersonName, PersonSettings], AfterValidator(_one_each)]


class RegistryServerSettings(BaseModel):
    """The VM registry's server: `reconciler registry serve`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    in_serve: bool = False
    """Let `reconciler serve` be the VM registry's server too."""
    listen: str = Field("127.0.0.1:8750", pattern=r"^(\[[0-9A-Fa-f:]+\]|[0-9A-Za-z.-]+):\d{1,5}$")
    """Host and port; only loopback reaches the default."""
    certificate_file: FilePath | None = None
    """Certificate for TLS, with its chain; without it plain HTTP, for loopback or behind a TLS terminator."""
    certificate_key_file: FilePath | None = None
    """Key of that certificate."""
    client_ca_file: FilePath | None = None
    """Authorities of which every client must show a certificate; a credential is bound to the names in its agent's."""
    key_file: FilePath | None = None
    """Keys of credentials, one a line, the first one signs; without it a file in the data folder, made if missing."""
    operator_token_file: FilePath | None = None
    """Token of operators; without it a file in the data folder, made if missing."""
    operator_certificate_file: FilePath | None = None
    """Certificate and key (PEM, one file) that our own commands show that server, where `client_ca_file` asks for one."""
    operator_ca_file: FilePath | None = None
    """Authorities of the server's certificate, for our own commands; without it the system's."""
    operator_networks: Names = ("127.0.0.0/8", "::1/128")
    """Networks that operators may come from."""
    proxies: Names = ()
    """Networks of TLS terminators and load balancers, whose X-Forwarded-For is believed."""
    proof: Literal["source", "callback"] = "source"
    """What proves the address of a VM: that its requests come from there, or that it accepts a connection there."""
    callback_port: int = Field(22, gt=0, le=65_535)
    """Port of such a connection."""
    heartbeat: Interval = timedelta(seconds=10)
    """How often agents come; a fleet that is too large for it comes less often, with longer leases."""
    lease: Interval = timedelta(seconds=30)
    """How long an agent may be silent."""
    sweep: Interval = timedelta(seconds=5)
    """How long after the end of its lease it is lost at the latest."""
    rotate: Interval = timedelta(hours=1)
    """How often an agent gets a new credential."""
    beats: int = Field(2000, gt=0)
    """Most heartbeats a second that are asked for."""
    brake_count: int = Field(50, ge=0)
    """Most VMs that are lost within the window: in all, in one namespace, in one locality."""
    brake_percent: int = Field(15, ge=0, le=100)
    """The same as a share; the smaller one counts."""
    brake_floor: int = Field(1, ge=0)
    """What may be lost in any case, so that small fleets are not frozen."""
    brake_window: Interval = timedelta(minutes=10)
    """The window, which slides."""
    most_requests: int = Field(500, gt=0)
    """Requests in hand above which others are told to come again."""
    keep_dead: Duration = Field(timedelta(days=90), ge=timedelta(days=8))
    """How long used and expired join tokens stay, and agents that are revoked or replaced; no backup that is put back may be
    older."""
    keep_audit: Duration = Field(timedelta(days=365), ge=timedelta(days=8))
    """How long entries of the audit log stay."""


class ConsulSettings(BaseModel):
    """How Consul is asked, where the VM registry is there or its checks are a source of health."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    """Consul whose checks are a source of health, as in `registry`; without it the one that is the VM registry."""
    token_file: FilePath | None = None
    """File with an ACL token: ``node:write`` on ``mesh-reconciler.TARGET.``, ``node:read`` and ``service:read`` on all."""
    ca_file: FilePath | None = None
    """Certificate authorities for it, instead of the system's."""
    timeout: Interval = timedelta(seconds=10)
    """Longest time for one answer, beside the time that Consul is asked to wait for news."""


class Settings(BaseSettings):
    """All settings of one process, which serves one target."""

    model_config = SettingsConfigDict(env_prefix="RECONCILER_", env_nested_delimiter="__", extra="forbid", frozen=True)

    target: str = Field("default", pattern=f"^{TARGET}$")
    """Name of the target: the mark on our objects, the Lease's name."""
    mode: Literal["enforce", "observe"] = "enforce"
    """Observe runs everything and writes nothing."""
    repo: str = ""
    """URL of the Git repository (https, ssh; a local path where git.allow_local is on)."""
    ref: str = "main"
    """What to follow: a branch, or ``tag:v1.2.3``, ``semver:>=1.2 <2``, ``commit:<40 hexadecimal digits>``."""
    path: str = ""
    """Folder of the repository that holds this target's manifests; empty for all of it."""
    kubeconfig: FilePath | None = None
    """Kubeconfig of the cluster; without it the KUBECONFIG variable, ~/.kube/config or the Pod's own service account."""
    context: str = ""
    """Context of the kubeconfig."""
    namespaces: Names = ()
    """Namespaces to manage (in the variable with commas between them); empty for all that may be read."""
    registry: str = ""
    """VM registry: ``sqlite:///FILE``, ``postgresql://...``, ``consul://HOST``, ``consul+https://HOST`` or ``none``; empty for
    a SQLite file in the data folder."""
    state: str = ""
    """State store: ``sqlite:///FILE`` or ``postgresql://...``; empty for a SQLite file in the data folder."""
    data: FilePath = Path("~/.local/state/mesh-reconciler")
    """Folder for mirror, caches and SQLite files; one sub-folder a target."""
    crds: FilePath | None = None
    """File with CustomResourceDefinitions to validate against, instead of the cluster's."""
    strict_kinds: bool = False
    """Refuse kinds that are not managed instead of skipping them."""
    conflicts: Literal["yield", "take"] = "yield"
    """What happens to a declared field that another manager owns: report it, or take it over."""
    wholesale: Literal["approve", "allow", "refuse"] = "approve"
    """Changes that Istio gives to all clients at once."""
    prune_after: Duration = timedelta(minutes=30)
    """How long something must have been gone from Git before it is deleted."""
    require_join: bool | None = None
    """Make a WorkloadEntry only once its VM has joined the VM registry, reports from its address and is well; unless said
    otherwise, where `registry serve` (or `serve` with `registry_server.in_serve`) keeps that registry."""
    max_deleted_services: int = Field(3, ge=0)
    """Most services deleted per commit and per rolling 24 hours without a named override."""
    poll_interval: Interval = timedelta(seconds=60)
    """How often Git is asked for a new commit."""
    relist_interval: Interval = timedelta(minutes=10)
    """How often the watched copies are compared with a full listing."""
    keep_history: Duration = Field(timedelta(days=30), ge=timedelta(days=2))
    """How long finished runs stay in the history; at least two days, which the deletion budget looks back on."""
    lease_namespace: str = "istio-system"
    """Namespace of the Lease that makes one process the writer of the target."""
    lease_ttl: Duration = Field(timedelta(seconds=30), ge=timedelta(seconds=30))
    """How long a silent holder keeps the Lease; at least 30 s, since one write may take 20."""
    writers: int = Field(16, gt=0, le=256)
    """Writes to the cluster at the same time."""
    allow_exec: bool = False
    """Accept kubeconfigs that run a credential plugin."""
    output: Literal["terminal", "json", "markdown", "html"] = "terminal"
    """Form of the reports of `diff`, `plan`, `apply`, `status` and `history`; `check` knows `sarif` too."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is logged."""
    git: GitSettings = GitSettings()
    """How the repository is read."""
    rollouts: RolloutSettings = RolloutSettings()
    """Bounds on rollouts."""
    health: HealthSettings = HealthSettings()
    """How the health of VMs counts."""
    gates: GateSettings = GateSettings()
    """Whom gates ask."""
    people: People = {}
    """Persons by name, each with ``logins`` (``zoe``, or ``zoe@bastion`` for one host), ``role`` (``viewer``, ``operator`` or
    ``admin``) and ``emails`` (by which commits know them); everybody else is an operator."""
    registry_server: RegistryServerSettings = RegistryServerSettings()
    """The VM registry's server."""
    consul: ConsulSettings = ConsulSettings()
    """How Consul is asked."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options over environment over file; no .env files, no secrets folder."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @property
    def folder(self) -> Path:
        """The data folder of this target."""
        return self.data.expanduser() / self.target


def load(options: dict[str, Any], config: Path | None = None) -> Settings:
    """Return the settings with the given options on top. Raises InvalidInput naming every setting that is wrong."""
    if config is not None and not config.is_file():
        raise InvalidInput(f"the settings file {config} does not exist", code=SetupCode.SETTINGS_FILE)

    class Configured(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        return Configured(**options)
    except ValidationError as error:
        raise _wrong(error) from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the settings cannot be read: {error}", code=SetupCode.SETTINGS_FILE) from error


class OfGates(BaseModel):
    """What the settings offer to gates in Git; the rest of them is for whoever asks somebody."""

    templates: dict[str, QueryTemplate] = {}
    free_queries: bool = True
    people: People = {}


def of_gates(known: Document) -> OfGates:
    """Return what a settings file, as it stands there, offers to gates. Raises InvalidInput as `load` does."""
    try:
        return OfGates.model_validate({**(known.get("gates") or {}), "people": known.get("people") or {}})
    except ValidationError as error:
        raise _wrong(error) from error


def _wrong(error: ValidationError) -> InvalidInput:
    return InvalidInput(
        Problem(SetupCode.OPTION, f"{detail['msg']}; see `reconciler serve --help`", field=".".join(map(str, detail["loc"])))
        for detail in error.errors(include_input=False, include_url=False)
    )
