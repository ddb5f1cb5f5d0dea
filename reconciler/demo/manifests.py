"""What the demo pushes to Git for a service, as templates for `str.format`."""

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
  namespace: shop
spec:
  hosts:
    - {host}
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - number: 80
      name: http
      protocol: HTTP
      targetPort: {port}
"""

INLINE = """\
    - address: {address}
      labels: {{app: {name}, platform: vm}}
      serviceAccount: {name}
"""

SELECTOR = """\
  workloadSelector:
    labels:
      app: {name}
"""

#: Added to the selector: only VMs, or only Pods.
PLATFORM = """\
      platform: {platform}
"""

ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: shop
"""

#: Shares are exact under ROUND_ROBIN alone.
RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {name}
  namespace: shop
spec:
  host: {host}
  trafficPolicy:
    loadBalancer:
      simple: ROUND_ROBIN
"""

WORKLOAD = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: {name}-vm-{number}
  namespace: shop
spec:
  address: {address}
  labels:
    app: {name}
    platform: vm
  serviceAccount: {name}
"""

POLICY = """\
apiVersion: mesh-reconciler.io/v1alpha1
kind: RolloutPolicy
metadata:
  name: {name}
  namespace: shop
spec:
  serviceEntry: {name}
  steps:
{steps}    - {{exposure: 100%}}
  gates:
    - name: success
      interval: 500ms
      consecutive: 2
      prometheus: {{template: istio-success-rate, min: 0.99, samples: 20}}
    - name: no-worse
      interval: 500ms
      compare: {{metric: errors, margin: 2}}
  onHarm: undo
  gradual: false
  watch: 0s
"""

#: A step of the policy before its last one.
STEP = """\
    - {{exposure: {exposure}%, hold: {hold}s, gates: [{gate}]}}
"""

#: Added to the policy: Pods and VMs share the requests.
SPLIT = """\
  split: {{vm: 50, pod: 50}}
  expectPods: {pods}
"""
