package kubernetes

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// restricted returns what the profile "restricted" of Pod Security has against a pod.
func restricted(t *testing.T, pod *corev1.PodSpec) string {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	results := evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &metav1.ObjectMeta{}, pod)
	return strings.Join(policy.AggregateCheckResults(results).ForbiddenReasons, "; ")
}

// nobody is the user of the image.
const nobody = 65532

// rules are what an installation must fulfil. breaks does what a rule is to find, so that
// each rule is seen to fail.
var rules = map[string]struct {
	holds  func(*testing.T, *installation) bool
	breaks func(*installation)
}{
	"not privileged": {restrictedHolds, func(i *installation) { i.container().SecurityContext.Privileged = ptr(true) }},
	"no escalation":  {restrictedHolds, func(i *installation) { i.container().SecurityContext.AllowPrivilegeEscalation = nil }},
	"no capability": {restrictedHolds, func(i *installation) {
		i.container().SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_PTRACE"}
	}},
	"all capabilities dropped": {restrictedHolds, func(i *installation) { i.container().SecurityContext.Capabilities.Drop = nil }},
	"seccomp":                  {restrictedHolds, func(i *installation) { i.pod.SecurityContext.SeccompProfile = nil }},
	"not root":                 {restrictedHolds, func(i *installation) { i.pod.SecurityContext.RunAsNonRoot = nil }},
	"the host's network":       {restrictedHolds, func(i *installation) { i.pod.HostNetwork = true }},
	"the host's ports":         {restrictedHolds, func(i *installation) { i.container().Ports[0].HostPort = 80 }},
	"the host's files": {restrictedHolds, func(i *installation) {
		i.pod.Volumes[0].VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
	}},
	"the user of the image": {func(_ *testing.T, i *installation) bool {
		c := i.pod.SecurityContext
		return *c.RunAsUser == nobody && *c.RunAsGroup == nobody && *c.FSGroup == nobody && i.container().SecurityContext.RunAsUser == nil
	}, func(i *installation) { i.pod.SecurityContext.RunAsUser = ptr(int64(1000)) }},
	"a root that nobody writes to": {func(_ *testing.T, i *installation) bool {
		read := i.container().SecurityContext.ReadOnlyRootFilesystem
		return read != nil && *read && mounted(i, "/tmp") == "temporary"
	}, func(i *installation) { i.container().SecurityContext.ReadOnlyRootFilesystem = nil }},
	"no token of Kubernetes": {func(_ *testing.T, i *installation) bool {
		return i.pod.AutomountServiceAccountToken != nil && !*i.pod.AutomountServiceAccountToken && slices.Contains(i.accounts, i.pod.ServiceAccountName)
	}, func(i *installation) { i.pod.AutomountServiceAccountToken = nil }},
	"no variables of Services": {func(_ *testing.T, i *installation) bool {
		return i.pod.EnableServiceLinks != nil && !*i.pod.EnableServiceLinks
	}, func(i *installation) { i.pod.EnableServiceLinks = nil }},
	"the image has a version": {func(_ *testing.T, i *installation) bool {
		_, tag, _ := strings.Cut(i.container().Image, ":")
		return tag != "" && tag != "latest"
	}, func(i *installation) { i.container().Image = "ghcr.io/hallpass-dev/hallpass:latest" }},
	"memory has a bound": {func(_ *testing.T, i *installation) bool {
		r := i.container().Resources
		return !r.Limits.Memory().IsZero() && !r.Requests.Memory().IsZero() && !r.Requests.Cpu().IsZero()
	}, func(i *installation) { i.container().Resources.Limits = nil }},
	"secrets are referred to": {func(_ *testing.T, i *installation) bool {
		for _, e := range i.container().Env {
			if file := strings.HasSuffix(e.Name, "_FILE"); file != strings.HasPrefix(e.Value, "/") || e.ValueFrom != nil {
				return false
			} else if file && !secretAt(i, e.Value) {
				return false
			}
		}
		return i.container().EnvFrom == nil
	}, func(i *installation) { i.container().Env[len(i.container().Env)-1].Value = "hunter2" }},
	"data below a volume": {func(_ *testing.T, i *installation) bool {
		args := i.container().Args
		if len(args) != 3 || args[0] != "serve" || args[1] != "--data" || mounted(i, path.Dir(args[2])) != "data" {
			return false
		}
		hasClaim := len(i.claims) == 1 && i.claims[0].Name == "data"
		return hasClaim != slices.ContainsFunc(i.pod.Volumes, func(v corev1.Volume) bool { return v.Name == "data" && v.EmptyDir != nil })
	}, func(i *installation) { i.container().Args[2] = "/var/lib/hallpass" }},
	"every mount has a volume": {func(_ *testing.T, i *installation) bool {
		have := make(map[string]bool)
		for _, v := range i.pod.Volumes {
			have[v.Name] = true
		}
		for _, c := range i.claims {
			have[c.Name] = true
		}
		return !slices.ContainsFunc(i.container().VolumeMounts, func(m corev1.VolumeMount) bool { return !have[m.Name] })
	}, func(i *installation) { i.container().VolumeMounts[0].Name = "dta" }},
	"several share no file": {func(_ *testing.T, i *installation) bool {
		return (i.replicas > 1) == (valueOf(i, "HALLPASS_DATABASE_TYPE") == "postgres") && (i.replicas > 1) == (i.claims == nil)
	}, func(i *installation) { i.replicas = 4 - i.replicas }},
	"a budget where there are several": {func(_ *testing.T, i *installation) bool {
		if i.replicas == 1 {
			return i.budget == nil
		}
		return i.budget != nil && i.budget.Spec.MaxUnavailable.IntVal == 1 && maps.Equal(i.budget.Spec.Selector.MatchLabels, i.labels)
	}, func(i *installation) { i.replicas = 4 - i.replicas }},
	"objects find the pods": {func(_ *testing.T, i *installation) bool {
		return len(i.labels) > 0 && maps.Equal(i.selector, i.labels) && maps.Equal(i.service.Spec.Selector, i.labels) && maps.Equal(i.network.Spec.PodSelector.MatchLabels, i.labels)
	}, func(i *installation) { i.service.Spec.Selector = map[string]string{"app": "hallpass"} }},
	"one namespace": {func(_ *testing.T, i *installation) bool {
		return !slices.ContainsFunc(i.spaces, func(n string) bool { return n != "hallpass" })
	}, func(i *installation) { i.spaces[0] = "" }},
	"named ports": {func(_ *testing.T, i *installation) bool {
		for _, p := range portsNamed(i) {
			if p.StrVal == "" || portOf(i, p.StrVal) == 0 {
				return false
			}
		}
		return true
	}, func(i *installation) { i.service.Spec.Ports[0].TargetPort = intstr.FromString("htp") }},
	"the metrics are for some": {func(_ *testing.T, i *installation) bool {
		for _, rule := range i.network.Spec.Ingress {
			for _, p := range rule.Ports {
				if (p.Port.StrVal == "http") != (rule.From == nil) {
					return false
				}
			}
		}
		return len(i.network.Spec.Ingress) == 2 && len(i.network.Spec.PolicyTypes) == 2
	}, func(i *installation) { i.network.Spec.Ingress[1].From = nil }},
	"the way to the database is open": {func(_ *testing.T, i *installation) bool {
		open := slices.ContainsFunc(i.network.Spec.Egress, func(e networkingv1.NetworkPolicyEgressRule) bool { return e.Ports[0].Port.IntVal == 5432 })
		return open == (i.replicas > 1)
	}, func(i *installation) { i.replicas = 4 - i.replicas }},
}

// TestRules holds each installation against each rule, and each rule against an
// installation that breaks it.
func TestRules(t *testing.T) {
	for _, file := range files {
		for name, rule := range rules {
			i := newInstallation(t, file)
			if !rule.holds(t, i) {
				t.Errorf("%s: %s: the rule is broken: %s", file, name, restricted(t, &i.pod))
			}
			rule.breaks(i)
			if rule.holds(t, i) {
				t.Errorf("%s: %s: the rule finds nothing", file, name)
			}
		}
	}
}

func restrictedHolds(t *testing.T, i *installation) bool {
	t.Helper()
	return restricted(t, &i.pod) == ""
}

func ptr[T any](v T) *T { return &v }

// mounted returns the volume at a path, "" if it is read-only or there is none.
func mounted(i *installation, at string) string {
	for _, m := range i.container().VolumeMounts {
		if m.MountPath == at && !m.ReadOnly {
			return m.Name
		}
	}
	return ""
}

// secretAt reports whether a file is one of a mounted Secret.
func secretAt(i *installation, file string) bool {
	for _, m := range i.container().VolumeMounts {
		if m.MountPath != path.Dir(file) || !m.ReadOnly {
			continue
		}
		for _, v := range i.pod.Volumes {
			if v.Name == m.Name && v.Secret != nil && slices.ContainsFunc(v.Secret.Items, func(k corev1.KeyToPath) bool { return k.Path == path.Base(file) }) {
				return true
			}
		}
	}
	return false
}

func valueOf(i *installation, name string) string {
	for _, e := range i.container().Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// portOf returns the number of a named port of the container, 0 if there is none.
func portOf(i *installation, name string) int {
	for _, p := range i.container().Ports {
		if p.Name == name {
			return int(p.ContainerPort)
		}
	}
	return 0
}

// portsNamed returns the ports by which other objects and probes mean the container's.
func portsNamed(i *installation) []intstr.IntOrString {
	var list []intstr.IntOrString
	for _, p := range probes(i) {
		list = append(list, p.HTTPGet.Port)
	}
	for _, p := range i.service.Spec.Ports {
		list = append(list, p.TargetPort)
	}
	for _, rule := range i.network.Spec.Ingress {
		for _, p := range rule.Ports {
			list = append(list, *p.Port)
		}
	}
	return list
}

func probes(i *installation) map[string]*corev1.Probe {
	c := i.container()
	return map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe}
}
