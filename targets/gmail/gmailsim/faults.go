package gmailsim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Fault is something that goes wrong, at random or once.
//
// Kinds: "lost-reply" (a changing call takes effect, then the connection is
// closed without an answer), "cut" (the connection is closed before a changing
// call takes effect), "precondition" (the transient 400), the status codes
// 401, 403, 429, 500, 502, 503 and 504, and with "html" before it, as in
// "html502", one of the last four as a front end's page.
type Fault struct {
	Kind        string
	Probability float64 // of each call; lost-reply and cut: of each that changes something
	At          int     // if not 0, it strikes once, at the At-th call that stores a message
}

// Faults is a set of faults; each call is struck by the first that fires.
type Faults []Fault

// faultKinds are the kinds there are.
var faultKinds = strings.Fields("lost-reply cut precondition 401 403 429 500 502 503 504 html500 html502 html503 html504")

// ParseFaults reads a list like "lost-reply:0.01,503:0.02,cut@7": a kind with
// its probability, or with the one storing call that it strikes.
func ParseFaults(list string) (Faults, error) {
	var fs Faults
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		i := strings.IndexAny(item, ":@")
		if i < 0 || !slices.Contains(faultKinds, item[:i]) {
			return nil, fmt.Errorf("fault %q: want kind:probability or kind@N, kind one of %s", item, strings.Join(faultKinds, " "))
		}
		f := Fault{Kind: item[:i]}
		var err error
		if item[i] == '@' {
			f.At, err = strconv.Atoi(item[i+1:])
		} else {
			f.Probability, err = strconv.ParseFloat(item[i+1:], 64)
		}
		if err != nil || f.At < 0 || item[i] == '@' && f.At == 0 || !(f.Probability >= 0 && f.Probability <= 1) {
			return nil, fmt.Errorf("fault %q: want a probability from 0 to 1, or a number from 1 on", item)
		}
		fs = append(fs, f)
	}
	return fs, nil
}

type faults struct {
	mu     sync.Mutex
	list   Faults
	random *rand.Rand
	stored int // calls that store a message, so far
	fired  map[string]int
}

// drop is the error of a call whose connection is to be closed.
type drop struct{}

func (drop) Error() string { return "connection closed" }

// before strikes a call that has not been looked at yet. lost says that its
// reply is to be lost if it takes effect.
func (f *faults) before(changes, stores bool) (lost bool, err error) {
	if len(f.list) == 0 {
		return false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if stores {
		f.stored++
	}
	for _, fault := range f.list {
		switch drops := fault.Kind == "cut" || fault.Kind == "lost-reply"; {
		case drops && !changes, !f.strikes(fault, stores):
		case fault.Kind == "lost-reply":
			return true, nil
		default:
			f.fired[fault.Kind]++
			return false, fault.err()
		}
	}
	return false, nil
}

// lose strikes a call that took effect.
func (f *faults) lose() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fired["lost-reply"]++
	return drop{}
}

func newFaults(list Faults, seed uint64) (*faults, error) {
	for _, f := range list {
		if !slices.Contains(faultKinds, f.Kind) {
			return nil, fmt.Errorf("fault %q: unknown kind", f.Kind)
		}
	}
	return &faults{list: list, random: rand.New(rand.NewPCG(seed, 0)), fired: map[string]int{}}, nil
}

func (f *faults) strikes(fault Fault, stores bool) bool {
	if fault.At > 0 {
		return stores && f.stored == fault.At
	}
	return fault.Probability > 0 && f.random.Float64() < fault.Probability
}

func (f Fault) err() error {
	switch f.Kind {
	case "cut":
		return drop{}
	case "precondition":
		return precondition("Precondition check failed.")
	case "401":
		return unauthenticated()
	case "403":
		return &refusal{code: 403, reason: "userRateLimitExceeded", domain: "usageLimits", message: "User Rate Limit Exceeded"}
	case "429":
		return &refusal{code: 429, reason: "rateLimitExceeded", message: "Resource has been exhausted (e.g. check quota)."}
	}
	digits, html := strings.CutPrefix(f.Kind, "html")
	code, _ := strconv.Atoi(digits) // ParseFaults let nothing else through
	e := backend(code)
	if code == 503 {
		e.message = "Temporary System Problem. Try again later."
	}
	e.html = html
	return e
}

func (f *faults) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.fired)
}
