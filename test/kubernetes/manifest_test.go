package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const packaging = "../../packaging"

// kinds makes what a manifest of each kind is decoded into. There is no Secret: manifests
// only refer to one.
var kinds = map[string]func() any{
	"v1 Namespace":                       func() any { return new(corev1.Namespace) },
	"v1 ServiceAccount":                  func() any { return new(corev1.ServiceAccount) },
	"v1 Service":                         func() any { return new(corev1.Service) },
	"apps/v1 Deployment":                 func() any { return new(appsv1.Deployment) },
	"apps/v1 StatefulSet":                func() any { return new(appsv1.StatefulSet) },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return new(networkingv1.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":      func() any { return new(policyv1.PodDisruptionBudget) },
}

// decode returns the objects of a file. A field that Kubernetes does not know, and one that
// is there twice, is an error.
func decode(text string) ([]any, error) {
	var list []any
	for i, doc := range strings.Split(text, "\n---\n") {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			return nil, fmt.Errorf("object %d: %w", i+1, err)
		}
		name := kind.APIVersion + " " + kind.Kind
		if kinds[name] == nil {
			return nil, fmt.Errorf("object %d is a %s", i+1, name)
		}
		object := kinds[name]()
		if err := strictly(doc, object); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, object)
	}
	return list, nil
}

// strictly decodes as Kubernetes does: names are compared with their case, and a number is
// not taken for a text. (The Unmarshal functions of the package yaml are laxer in both.)
func strictly(doc string, object any) error {
	text, err := yaml.YAMLToJSONStrict([]byte(doc))
	if err != nil {
		return err
	}
	strict, err := json.UnmarshalStrict(text, object)
	return errors.Join(append(strict, err)...)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(packaging, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An installation is what one file makes, each kind by itself.
type installation struct {
	file     string
	replicas int32
	labels   map[string]string // of its pods
	pod      corev1.PodSpec
	claims   []corev1.PersistentVolumeClaim
	service  *corev1.Service
	network  *networkingv1.NetworkPolicy
	budget   *policyv1.PodDisruptionBudget // nil: it has one pod
	accounts []string
	selector map[string]string // by which the pods are found
	spaces   []string          // the namespaces of its objects
}

// container returns the only container.
func (i *installation) container() *corev1.Container { return &i.pod.Containers[0] }

func newInstallation(t *testing.T, file string) *installation {
	t.Helper()
	list, err := decode(read(t, file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	i := &installation{file: file}
	for _, object := range list {
		switch o := object.(type) {
		case *appsv1.StatefulSet:
			i.take(*o.Spec.Replicas, o.Spec.Template, o.Spec.Selector.MatchLabels, o.Namespace)
			i.claims = o.Spec.VolumeClaimTemplates
		case *appsv1.Deployment:
			i.take(*o.Spec.Replicas, o.Spec.Template, o.Spec.Selector.MatchLabels, o.Namespace)
		case *corev1.Service:
			i.service, i.spaces = o, append(i.spaces, o.Namespace)
		case *networkingv1.NetworkPolicy:
			i.network, i.spaces = o, append(i.spaces, o.Namespace)
		case *policyv1.PodDisruptionBudget:
			i.budget, i.spaces = o, append(i.spaces, o.Namespace)
		case *corev1.ServiceAccount:
			i.accounts, i.spaces = append(i.accounts, o.Name), append(i.spaces, o.Namespace)
		}
	}
	if i.service == nil || i.network == nil || len(i.pod.Containers) != 1 || i.pod.InitContainers != nil {
		t.Fatalf("%s has no Service, no NetworkPolicy, or not one container", file)
	}
	return i
}

func (i *installation) take(replicas int32, pod corev1.PodTemplateSpec, selector map[string]string, namespace string) {
	i.replicas, i.pod, i.labels, i.selector, i.spaces = replicas, pod.Spec, pod.Labels, selector, append(i.spaces, namespace)
}

// files are the manifests that install something.
var files = []string{"kubernetes/single.yaml", "kubernetes/several.yaml"}

// TestManifestsDecode decodes every file of the folder strictly.
func TestManifestsDecode(t *testing.T) {
	all, err := filepath.Glob(filepath.Join(packaging, "kubernetes", "*.yaml"))
	if err != nil || len(all) != len(files)+1 {
		t.Fatalf("there are %v, %v", all, err)
	}
	for _, path := range all {
		if _, err := decode(read(t, filepath.Join("kubernetes", filepath.Base(path)))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDecodeRefuses plants mistakes in a manifest: each is found.
func TestDecodeRefuses(t *testing.T) {
	good := read(t, "kubernetes/several.yaml")
	for name, tt := range map[string]struct{ old, new, says string }{
		"unknown field":        {"readOnlyRootFilesystem", "readOnlyRootFileSystem", "unknown field"},
		"field of another":     {"  replicas: 3\n", "  replicas: 3\n  serviceName: hallpass\n", `unknown field "spec.serviceName"`},
		"field twice":          {"  replicas: 3\n", "  replicas: 3\n  replicas: 2\n", "already set"},
		"a number for a text":  {`value: "3082"`, "value: 3082", "cannot unmarshal number"},
		"another kind":         {"kind: PodDisruptionBudget", "kind: Secret", "is a policy/v1 Secret"},
		"another version":      {"apiVersion: apps/v1", "apiVersion: apps/v1beta1", "is a apps/v1beta1 Deployment"},
		"a text for a boolean": {"runAsNonRoot: true", "runAsNonRoot: yes please", "cannot unmarshal string"},
	} {
		bad := strings.Replace(good, tt.old, tt.new, 1)
		if bad == good {
			t.Errorf("%s: the manifest has no %s", name, tt.old)
		}
		if _, err := decode(bad); tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %s", name, err, tt.says)
		}
	}
}
