// Package kubernetes holds the manifests for Kubernetes and Compose against the types and
// rules of those, and against the program that they run. It is a module of its own, so that
// the product does not depend on Kubernetes.
package kubernetes
