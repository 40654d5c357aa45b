package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// planSchema is docs/plan.schema.json.
func planSchema(t *testing.T) (s *jsonschema.Schema) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "docs", "plan.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// someBudget is a section that gives a plan a cost.
const someBudget = "[budget]\ncurrency = \"EUR\"\nengineer_rate = \"120.00\"\nlicence_month = \"4.20\"\n"

// plans makes plans of all shapes, and returns their JSON by name.
func plans(t *testing.T) map[string]map[string]any {
	t.Helper()
	one := madeUp(t, "gmail", sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 300}), "ann")
	empty := madeUp(t, "graph", sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{}), "ann", "bob")
	closed := madeUp(t, "gmail", sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{}), "ann", "bob")
	overwrite(t, filepath.Join(filepath.Dir(closed), "password"), "wrong\n")
	gmail := company(t, "gmail", 12, "exclude_folders = [\"Spam/*\"]\n[report]\nprivacy = \"full\"\nlanguage = \"de\"\n"+someBudget)
	graph := company(t, "graph", 12, someBudget)
	all := map[string]map[string]any{}
	for name, args := range map[string][]string{
		"one": {one}, "one, deep": {one, "--deep"}, "empty": {empty}, "empty, fast": {empty, "--fast"}, "closed": {closed},
		"gmail": {gmail}, "gmail, fast": {gmail, "--fast"}, "graph": {graph, "--verify", "none"},
	} {
		out := filepath.Join(t.TempDir(), "plan")
		code, _, stderr := planned(t.Context(), append([]string{"--out", out, "--config"}, args...)...)
		if code != exitDone && code != exitPerson {
			t.Fatalf("%s: exit status %d: %s", name, code, stderr)
		}
		data, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, out, planJSON)))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = data.(map[string]any)
	}
	return all
}

func TestAPlanIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	s := planSchema(t)
	unused := maps.Clone(s.Properties)
	for name, plan := range plans(t) {
		if err := s.Validate(plan); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for key := range plan {
			delete(unused, key)
		}
		for _, harm := range harms(plan) {
			harm.do()
			if s.Validate(plan) == nil {
				t.Errorf("%s: the schema takes a plan with %s", name, harm.what)
			}
			harm.undo()
		}
	}
	if len(unused) > 0 {
		t.Errorf("no plan has %q", slices.Sorted(maps.Keys(unused)))
	}
}

// A harm makes a plan something that a plan never is.
type harm struct {
	what     string
	do, undo func()
}

// harms are a further member in each object, a member less in each row of a table,
// and an object wherever there is a string or a number. Of an array the first
// element stands for all.
func harms(plan map[string]any) (all []harm) {
	var walk func(path string, v any, row bool)
	walk = func(path string, v any, row bool) {
		switch v := v.(type) {
		case []any:
			if len(v) > 0 {
				walk(path+"[0]", v[0], true)
			}
		case map[string]any:
			all = append(all, harm{path + ".surplus", func() { v["surplus"] = "x" }, func() { delete(v, "surplus") }})
			for key, was := range v {
				at := fmt.Sprintf("%s.%s", path, key)
				if row {
					all = append(all, harm{"no " + at, func() { delete(v, key) }, func() { v[key] = was }})
				}
				switch was.(type) {
				case []any, map[string]any:
					walk(at, was, false)
				default:
					all = append(all, harm{"an object as " + at, func() { v[key] = map[string]any{} }, func() { v[key] = was }})
				}
			}
		}
	}
	walk("", plan, false)
	return all
}
