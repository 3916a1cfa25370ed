package packaging

import (
	"bufio"
	"context"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed reads a file as docker compose does: its schema, its variables, what services
// refer to.
func composed(t *testing.T, file string, variables ...string) (*types.Project, error) {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"compose/" + file}, cli.WithEnv(variables))
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

var theirVariables = map[string][]string{
	"sqlite.yaml":   {"ORDERHOOK_API_KEY=an admin key"},
	"postgres.yaml": {"ORDERHOOK_API_KEY=an admin key", "ORDERHOOK_ENCRYPTION_KEY=an encryption key", "POSTGRES_PASSWORD=a password"},
}

func TestNoKeyIsLeftOut(t *testing.T) {
	for file, variables := range theirVariables {
		for i, v := range variables {
			name, _, _ := strings.Cut(v, "=")
			_, err := composed(t, file, slices.Delete(slices.Clone(variables), i, i+1)...)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v", file, name, err)
			}
		}
	}
}

// nodes are the services that run orderhook.
func nodes(p *types.Project) (all []types.ServiceConfig) {
	for _, s := range p.Services {
		if s.Image == "orderhook" {
			all = append(all, s)
		}
	}
	return all
}

func TestEachNode(t *testing.T) {
	for file, want := range map[string]int{"sqlite.yaml": 1, "postgres.yaml": 3} {
		p, err := composed(t, file, theirVariables[file]...)
		if err != nil {
			t.Fatal(err)
		}
		all := nodes(p)
		if len(all) != want {
			t.Errorf("%s has %d nodes", file, len(all))
		}
		named, err := composed(t, file, append(slices.Clone(theirVariables[file]), "VERSION=1.2.3")...)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range nodes(named) {
			if v := s.Build.Args["VERSION"]; v == nil || *v != "1.2.3" {
				t.Errorf("%s: %s is built as another version than it is told", file, s.Name)
			}
		}
		for _, s := range all {
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("%s: %s may do more than it needs", file, s.Name)
			}
			if time.Duration(*s.StopGracePeriod) <= 30*time.Second {
				t.Errorf("%s: %s is killed before --grace is over", file, s.Name)
			}
		}
	}
}

// TestEachNodeIsOneThatStarts: the program takes the variables of each node, as far as it comes
// without the network of the containers.
func TestEachNodeIsOneThatStarts(t *testing.T) {
	program := binaryOf(t, own(t))
	for file, want := range map[string]string{"sqlite.yaml": "", "postgres.yaml": "cannot be reached"} {
		// They are of the lengths that the file asks for.
		p, err := composed(t, file, "ORDERHOOK_API_KEY=the-key-of-the-test", "ORDERHOOK_ENCRYPTION_KEY=an encryption key of 32 characters", "POSTGRES_PASSWORD=s3cret/+=")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range nodes(p) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			cmd := exec.CommandContext(ctx, program, "serve")
			cmd.Dir, cmd.Env = t.TempDir(), []string{"ORDERHOOK_LISTEN=127.0.0.1:0"}
			for name, value := range s.Environment {
				cmd.Env = append(cmd.Env, name+"="+*value)
			}
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(out).ReadString('\n')
			cancel() // it serves, or has ended
			_ = cmd.Wait()
			if serves := strings.HasPrefix(line, "listening on "); serves != (want == "") || !strings.Contains(said.String(), want) || strings.Contains(said.String(), "s3cret") {
				t.Errorf("%s: %s: %s%s", file, s.Name, line, &said)
			}
		}
	}
}

// TestNothingIsOpenToTheNetwork that nobody has put TLS before.
func TestNothingIsOpenToTheNetwork(t *testing.T) {
	for file, variables := range theirVariables {
		p, err := composed(t, file, variables...)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Services {
			for _, port := range s.Ports {
				if port.HostIP != "127.0.0.1" {
					t.Errorf("%s: %s listens at %q", file, s.Name, port.HostIP)
				}
			}
		}
	}
}

func TestThreeNodesShareADatabase(t *testing.T) {
	p, err := composed(t, "postgres.yaml", theirVariables["postgres.yaml"]...)
	if err != nil {
		t.Fatal(err)
	}
	proxy := p.Configs["proxy"].Content
	for _, s := range nodes(p) {
		if !strings.Contains(proxy, "server "+s.Name+" "+s.Name+":8080\n") {
			t.Errorf("the proxy does not know %s", s.Name)
		}
		if on := s.DependsOn["postgres"]; on.Condition != types.ServiceConditionHealthy {
			t.Errorf("%s starts before its database: %+v", s.Name, on)
		}
		if database := *s.Environment["ORDERHOOK_DATABASE"]; strings.Contains(database, "a password") {
			t.Errorf("%s has the password in its URL", s.Name)
		}
	}
	// A header of a caller must not be taken for the proxy's, as it would with if-none.
	subnet := p.Networks["default"].Ipam.Config[0].Subnet
	if !strings.Contains(proxy, "option forwardfor\n") {
		t.Error("the proxy does not say whom a request came from")
	}
	for _, s := range nodes(p) {
		if trusted := s.Environment["ORDERHOOK_TRUSTED_PROXIES"]; subnet == "" || trusted == nil || *trusted != subnet {
			t.Errorf("%s does not believe the proxy, which is in %q", s.Name, subnet)
		}
	}
	if p.Services["postgres"].HealthCheck == nil || len(p.Services["postgres"].Ports) > 0 {
		t.Error("the database has no health check, or is open to the machine")
	}
}
