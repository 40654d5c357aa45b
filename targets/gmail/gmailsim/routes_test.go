package gmailsim

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRoutesAreThoseOfTheDiscoveryDocument(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "gmail", "v1", "gmail-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	type method struct {
		HTTPMethod          string
		Path                string
		Scopes              []string
		SupportsMediaUpload bool
		Parameters          map[string]struct{ Type, Location string }
	}
	type resource struct {
		Methods   map[string]method
		Resources map[string]resource
	}
	var doc resource
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		at := doc.Resources["users"]
		folder, name, ok := strings.Cut(r.name, ".")
		if ok {
			at = at.Resources[folder]
		} else {
			name = folder
		}
		m, ok := at.Methods[name]
		if !ok {
			t.Errorf("%s does not exist", r.name)
			continue
		}
		path := strings.TrimPrefix(strings.ReplaceAll(m.Path, "{id}", "*"), "gmail/v1/users/{userId}/")
		if path != r.path || m.HTTPMethod != r.method || m.SupportsMediaUpload != r.stores {
			t.Errorf("%s is %s %s, upload %v", r.name, m.HTTPMethod, path, m.SupportsMediaUpload)
		}
		var params []string
		for name, p := range m.Parameters {
			switch {
			case p.Location == "query" && p.Type == "boolean":
				params = append(params, name+"?")
			case p.Location == "query":
				params = append(params, name)
			}
		}
		slices.Sort(params)
		if got := strings.Join(params, " "); got != r.params {
			t.Errorf("%s has the parameters %s", r.name, got)
		}
		for name, allows := range scopes {
			if got := allows&r.scopes != 0; got != slices.Contains(m.Scopes, name) {
				t.Errorf("%s with %s: allowed %v", r.name, name, got)
			}
		}
	}
}
