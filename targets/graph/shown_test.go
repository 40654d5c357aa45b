package graph

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestFlagsAreShownAsTheyAreReadBack(t *testing.T) {
	all := []migrate.Flag{migrate.Seen, migrate.Flagged, migrate.Answered, migrate.Forwarded, migrate.Draft, migrate.Deleted, "Work"}
	var sets [][]migrate.Flag
	for bits := range 1 << len(all) {
		var set []migrate.Flag
		for i, f := range all {
			if bits>>i&1 == 1 {
				set = append(set, f)
			}
		}
		sets = append(sets, set)
	}
	sets = append(sets, []migrate.Flag{`\seen`, `\FLAGGED`, "$forwarded", "work", "Work", "Größe", "$NotJunk", "with blank "}, []migrate.Flag{`\Recent`, "$MDNSent"})
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: route})
		for _, folder := range []migrate.FolderID{"inbox", "drafts"} {
			want := map[migrate.MessageID][]migrate.Flag{}
			for i, flags := range sets {
				s, err := target.Append(t.Context(), folder, targettest.Letter(fmt.Sprintf("letter-%d", i), flags...))
				if err != nil {
					t.Fatal(err)
				}
				want[s.ID] = target.Shown(folder, flags)
				if slices.Contains(want[s.ID], migrate.Deleted) {
					t.Errorf("%q shows %q", flags, want[s.ID])
				}
			}
			for batch, err := range target.List(t.Context(), folder) {
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range batch {
					if !slices.Equal(h.Flags, want[h.ID]) {
						t.Errorf("%s, %s: read back are %q, shown %q", route, folder, h.Flags, want[h.ID])
					}
					delete(want, h.ID)
				}
			}
			if len(want) > 0 {
				t.Errorf("%s, %s: %d messages were not listed", route, folder, len(want))
			}
		}
	}
}

func TestFlagsOfOthersAreReadAsWhatTheyMean(t *testing.T) {
	for verb, want := range map[string]migrate.Flag{"102": migrate.Answered, "103": migrate.Answered, "104": migrate.Forwarded, "0": "", "": ""} {
		it := item{IsRead: new(false), IsDraft: new(false)}
		it.Flag.FlagStatus = "complete"
		it.Properties = append(it.Properties, struct{ ID, Value string }{"Integer 0x1081", verb})
		got := it.flags()
		if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []migrate.Flag{want}) {
			t.Errorf("%q is %q", verb, got)
		}
	}
}
