package report

import (
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// identity says in sentences what became of the messages of t, of which the
// verification did not find some again. Only what occurred is mentioned: first
// what a client has to know, and further what explains other counts.
func (r *report) identity(t migrate.Tally, unfound int64) (first, further []string) {
	n := t.Count
	// A message that was moved meanwhile was listed at both places.
	were, arrived := t.Listed-n[migrate.Moved], t.Arrived()
	if were == 0 {
		return []string{r.say("identity.empty")}, nil
	}
	say := func(key string, n int64) string { return r.say("identity."+key, "n", n) }
	are, not := "are", "are_not"
	if unfound > 0 {
		are, not = "arrived", "did_not"
	}
	rest := were - arrived
	clauses, end := []string{say("were", were)}, ""
	if rest == 0 && unfound == 0 {
		clauses = append(clauses, say("all", were))
	} else {
		clauses = append(clauses, say(are, arrived))
	}
	if rest > 0 {
		clauses = append(clauses, say(not, rest))
	}
	if rest > 0 && rest == n[migrate.Failed] {
		end = say("each", rest)
	}
	first = []string{strings.Join(clauses, "; ") + end + "."}
	also := func(all *[]string, key string, n int64) {
		if n > 0 {
			*all = append(*all, say(key, n))
		}
	}
	if rest != n[migrate.Failed] {
		also(&first, "failed", n[migrate.Failed])
		also(&first, "excluded", n[migrate.Excluded])
		also(&first, "gone", n[migrate.Gone])
		also(&first, "removed", n[migrate.Removed])
		also(&first, "pending", n[migrate.Pending])
	}
	also(&first, "unfound", unfound)
	also(&first, "doubts", t.Doubts)
	also(&first, "moved", n[migrate.Moved])
	also(&further, "left", t.Left)
	if r.Target == "gmail" {
		also(&further, "merged", n[migrate.Merged])
	}
	return first, further
}

// unfound is how many messages arrived that the latest verifications did not
// find, or found in the trash.
func (r *report) unfound() (n int64) {
	for _, a := range r.accounts {
		n += a.found[migrate.KindMissing] + a.found[migrate.KindDeleted]
	}
	return n
}
