package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// awkward are folders of which some cannot keep their names. Names that Gmail is
// only said to reserve are not among them: they are tried.
func awkward() (fs []migrate.Folder) {
	long := strings.Repeat("long name ", 22) + "of 231 units"
	for _, path := range [][]string{
		{"INBOX"}, {"Deleted Items"}, {"Sent Items"}, {"outbox"}, {"Work", "Outbox"}, {"Work"}, {"work"}, {"WORK "}, {"A/B"}, {" lead"}, {"tab\tname"}, {"bell\aname"}, {"zero\u200bwidth"}, {"turned\u202eround"},
		{"broken\xff"}, {"Clients"}, {"Clients", "Chats"}, {"Clients", ""}, {"Clients", "2019/20"}, {"Chats"}, {"Important"}, {"Starred"}, {"Label"}, {"a b"}, {"a-b"}, {"A B"},
		{"Straße"}, {"STRASSE"}, {"Caf\u00e9"}, {"Cafe\u0301"}, {long}, {strings.Repeat("x", 251)}, {"Clients", long[:200]}, {"Clients", long[:200], "Deep"}, {"Müll"}, {"Σ"}, {"σ"},
	} {
		fs = append(fs, migrate.Folder{Path: path, UIDValidity: 1, UIDNext: 1})
	}
	fs[0].Role = migrate.RoleInbox
	return append(fs, migrate.Folder{Path: []string{"Gelöscht"}, Role: migrate.RoleTrash}, migrate.Folder{Path: []string{"Rubbish"}, Role: migrate.RoleTrash})
}

func TestAPlanKnowsWhichFoldersGetAnotherName(t *testing.T) {
	_, gmailURL := serveGmail(t, nil)
	graphURL := serveTest(t, newGraph(t, graphsim.Options{}), nil)
	for _, kind := range []string{"gmail", "graph"} {
		var target migrate.Target
		var err error
		if kind == "gmail" {
			target, err = gmail.Open(t.Context(), gmail.Config{User: "ann@example.org", Endpoint: gmailURL, Route: gmail.RouteInsert,
				TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
		} else {
			target, err = graph.Open(t.Context(), graph.Config{User: "ann@example.org", Endpoint: graphURL, Token: graph.StaticToken("test"), Route: graph.RouteJSON})
		}
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		fs := awkward()
		places, err := target.Place(t.Context(), fs)
		if err != nil {
			t.Fatal(err)
		}
		a := &assess.Assessment{Depth: assess.Fast}
		var want, got []string
		for i, f := range fs {
			a.Folders = append(a.Folders, assess.Folder{Path: f.Path, Role: f.Role})
			own := f.Role == migrate.RoleInbox || f.Path[0] == "Gelöscht" // the target's own places
			if last := f.Path[len(f.Path)-1]; !own && (places[i].Err != nil || !strings.HasSuffix("/"+places[i].Name, "/"+last) || strings.Contains(last, "/") && kind == "gmail") {
				want = append(want, fmt.Sprintf("%q", f.Path))
			}
		}
		facts, _ := planTarget(kind)
		for _, r := range facts.Names.Renamings(a.Folders) {
			got = append(got, fmt.Sprintf("%q", r.Path))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the plan renames\n%s\nand the target\n%s", kind, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
