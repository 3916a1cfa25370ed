// Package check holds the chart to what Helm and Kubernetes say of it: Helm's own linter and
// renderer, and the types of Kubernetes, which know each field. They are a module of their
// own, because they are some 500 packages.
package check

import (
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

const chart = "../orderhook"

// kinds are the objects that the chart has. Another one has to be looked at here.
var kinds = map[string]func() runtime.Object{
	"StatefulSet":         func() runtime.Object { return &apps.StatefulSet{} },
	"Deployment":          func() runtime.Object { return &apps.Deployment{} },
	"Service":             func() runtime.Object { return &core.Service{} },
	"ConfigMap":           func() runtime.Object { return &core.ConfigMap{} },
	"PodDisruptionBudget": func() runtime.Object { return &policy.PodDisruptionBudget{} },
}

// render returns the objects of a release with these values, by kind. A field that
// Kubernetes does not know is an error.
func render(t *testing.T, values map[string]any) (map[string]runtime.Object, error) {
	t.Helper()
	c, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	named := chartutil.ReleaseOptions{Name: "shop", Namespace: "orders", IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, named, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	objects := map[string]runtime.Object{}
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") || strings.TrimSpace(text) == "" {
			continue
		}
		var head struct{ Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		made, known := kinds[head.Kind]
		if !known {
			t.Fatalf("%s has a %q, which no test looks at", name, head.Kind)
		}
		object := made()
		if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		objects[head.Kind] = object
	}
	return objects, nil
}

func mustRender(t *testing.T, values map[string]any) map[string]runtime.Object {
	t.Helper()
	objects, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

var onPostgres = map[string]any{"database": map[string]any{"kind": "postgres"}}

// everything sets each value that is empty otherwise.
var everything = map[string]any{
	"config": map[string]any{"outgoing": map[string]any{"allowHosts": []any{"erp.internal"}}}, "publicUrl": "https://orders.example.com",
	"env": []any{map[string]any{"name": "ORDERHOOK_LOG_LEVEL", "value": "debug"}}, "podAnnotations": map[string]any{"a": "b"},
	"imagePullSecrets": []any{map[string]any{"name": "pull"}}, "nodeSelector": map[string]any{"disk": "fast"},
	"tolerations": []any{map[string]any{"key": "a", "operator": "Exists"}}, "allowPrivateTargets": true,
	"affinity": map[string]any{"nodeAffinity": map[string]any{}}, "database": map[string]any{"storageClassName": "fast", "size": "5Gi"},
}

func TestTheChartIsLinted(t *testing.T) {
	for name, values := range map[string]map[string]any{"sqlite": {}, "postgres": onPostgres, "everything": everything} {
		for _, m := range lint.AllWithKubeVersion(chart, values, "orders", nil).Messages {
			if m.Severity > support.InfoSev { // an icon is recommended, and this chart has none
				t.Errorf("with %s: %s", name, m.Error())
			}
		}
	}
}

// podOf returns the pods of a release, and what they are chosen by.
func podOf(t *testing.T, objects map[string]runtime.Object) (core.PodTemplateSpec, map[string]string) {
	t.Helper()
	switch {
	case objects["StatefulSet"] != nil && objects["Deployment"] == nil:
		s := objects["StatefulSet"].(*apps.StatefulSet)
		return s.Spec.Template, s.Spec.Selector.MatchLabels
	case objects["Deployment"] != nil && objects["StatefulSet"] == nil:
		d := objects["Deployment"].(*apps.Deployment)
		return d.Spec.Template, d.Spec.Selector.MatchLabels
	}
	t.Fatalf("a release has %d objects, and not one workload", len(objects))
	return core.PodTemplateSpec{}, nil
}

func TestSQLiteHasOnePodWithAVolume(t *testing.T) {
	s := mustRender(t, nil)["StatefulSet"].(*apps.StatefulSet)
	if *s.Spec.Replicas != 1 {
		t.Errorf("%d pods share a file", *s.Spec.Replicas)
	}
	claim := s.Spec.VolumeClaimTemplates[0]
	if size := claim.Spec.Resources.Requests[core.ResourceStorage]; claim.Name != "data" || size.String() != "10Gi" {
		t.Errorf("its volume is %s of %s", claim.Name, size.String())
	}
	if m := s.Spec.Template.Spec.Containers[0].VolumeMounts[0]; m.Name != "data" || m.MountPath != "/var/lib/orderhook" {
		t.Errorf("it is mounted as %+v", m)
	}
}

func TestPostgresHasPodsThatShareIt(t *testing.T) {
	d := mustRender(t, onPostgres)["Deployment"].(*apps.Deployment)
	if *d.Spec.Replicas != 3 {
		t.Errorf("%d pods", *d.Spec.Replicas)
	}
	if d.Spec.Strategy.Type != apps.RollingUpdateDeploymentStrategyType {
		t.Errorf("nodes are replaced all at once: %s", d.Spec.Strategy.Type)
	}
	env := d.Spec.Template.Spec.Containers[0].Env
	if i := slices.IndexFunc(env, func(v core.EnvVar) bool { return v.Name == "ORDERHOOK_DATABASE" }); i < 0 || env[i].ValueFrom.SecretKeyRef.Key != "database" {
		t.Errorf("the database's URL is no secret: %+v", env)
	}
}

// TestEachPod: what holds with either database.
func TestEachPod(t *testing.T) {
	for name, values := range map[string]map[string]any{"sqlite": nil, "postgres": onPostgres, "everything": everything} {
		objects := mustRender(t, values)
		pod, selector := podOf(t, objects)
		c := pod.Spec.Containers[0]
		if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.StartupProbe.HTTPGet.Path != "/healthz" {
			t.Errorf("%s: the probes are %v, %v, %v", name, c.LivenessProbe, c.ReadinessProbe, c.StartupProbe)
		}
		for _, p := range []*core.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			if p.HTTPGet.Port != intstr.FromString(c.Ports[0].Name) {
				t.Errorf("%s: a probe asks port %v", name, p.HTTPGet.Port)
			}
		}
		s := c.SecurityContext
		if !*pod.Spec.SecurityContext.RunAsNonRoot || *pod.Spec.AutomountServiceAccountToken || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s: a pod may do more than it needs: %+v, %+v", name, pod.Spec.SecurityContext, s)
		}
		if *pod.Spec.TerminationGracePeriodSeconds <= 30 {
			t.Errorf("%s: a pod is killed before --grace is over", name)
		}
		for _, v := range c.Env {
			if secret := strings.Contains(v.Name, "KEY"); secret && (v.ValueFrom == nil || v.ValueFrom.SecretKeyRef == nil) {
				t.Errorf("%s: %s is no secret's", name, v.Name)
			}
		}
		chosen := labels.Set(pod.Labels)
		service, budget := objects["Service"].(*core.Service), objects["PodDisruptionBudget"].(*policy.PodDisruptionBudget)
		for what, by := range map[string]map[string]string{"the workload": selector, "the service": service.Spec.Selector, "the budget": budget.Spec.Selector.MatchLabels} {
			if len(by) == 0 || !labels.SelectorFromSet(by).Matches(chosen) {
				t.Errorf("%s: %s does not choose the pods: %v of %v", name, what, by, chosen)
			}
		}
		if service.Spec.Ports[0].TargetPort != intstr.FromString(c.Ports[0].Name) || budget.Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("%s: the service leads to %v, the budget is %v", name, service.Spec.Ports[0].TargetPort, budget.Spec.MaxUnavailable)
		}
	}
}

func TestTheConfigFileIsMounted(t *testing.T) {
	objects := mustRender(t, everything)
	if text := objects["ConfigMap"].(*core.ConfigMap).Data["orderhook.json"]; !strings.Contains(text, `"erp.internal"`) {
		t.Errorf("the config file is %q", text)
	}
	pod, _ := podOf(t, objects)
	if !slices.ContainsFunc(pod.Spec.Containers[0].VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == "/etc/orderhook" }) {
		t.Error("it is not mounted")
	}
	changed, _ := podOf(t, mustRender(t, map[string]any{"config": map[string]any{"grace": "PT20S"}}))
	if changed.Annotations["checksum/config"] == pod.Annotations["checksum/config"] {
		t.Error("another config file starts no new pods")
	}
	if mustRender(t, nil)["ConfigMap"] != nil {
		t.Error("there is a config file without config")
	}
}

func TestADatabaseOfAnotherKindIsRefused(t *testing.T) {
	_, err := render(t, map[string]any{"database": map[string]any{"kind": "mysql"}})
	if err == nil || !strings.Contains(err.Error(), "database.kind is sqlite or postgres") {
		t.Errorf("mysql: %v", err)
	}
}
