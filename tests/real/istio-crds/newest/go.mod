// Pins the newest version of Istio whose CRDs the tests install; only its YAML file is read.
module mesh-reconciler.test/istio-crds/newest

go 1.24.0

require istio.io/api v1.31.4
