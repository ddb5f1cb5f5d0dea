// Pins the lowest version of Istio whose CRDs the tests install; only its YAML file is read.
module mesh-reconciler.test/istio-crds/lowest

go 1.22.0

require istio.io/api v1.24.2
