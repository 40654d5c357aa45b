package graphsim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Faults say what goes wrong and when. Its zero value is none.
type Faults struct {
	random []randomFault
	at     map[int]string // write number, from 1, to kind
	gone   map[int]string // delta number, from 1
}

type randomFault struct {
	kind        string
	probability float64
}

// The kinds of faults.
const (
	faultLostReply = "lost-reply" // writes: done, then the connection closes unanswered
	faultCut       = "cut"        // writes: the connection closes in the middle of the request
	faultGone      = "410"        // delta only: the token is dead
)

var faultStatuses = map[string]*apiError{
	"401":     refuse(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
	"429":     {status: 429, code: "TooManyRequests", message: "Please retry again later.", retryAfter: "1"},
	"500":     refuse(500, "InternalServerError", "An internal server error occurred."),
	"509":     {status: 509, message: "Bandwidth Limit Exceeded"},
	"corrupt": refuse(500, "ErrorCorruptData", "The data is corrupt."),
	"502":     {status: 502, message: "Bad Gateway"},
	"503":     refuse(503, "serviceNotAvailable", "The service is unavailable."),
	"504":     {status: 504, message: "Gateway Timeout"},
	faultGone: refuse(410, "SyncStateNotFound", "The sync state generation is not found; perform a full synchronization."),
}

// ParseFaults reads a list such as "lost-reply:0.01,cut:0.01,503:0.02,429@7".
//
// kind:probability may hit any call that the kind applies to: lost-reply and
// cut hit writes (everything but GET), 410 hits delta calls, the statuses 401,
// 429, 500, 502, 503, 504 and 509, and corrupt (500 ErrorCorruptData), hit any
// call. kind@N hits exactly the Nth write,
// or the Nth delta call for 410, counted from 1 over the server's life. Calls
// to the token endpoint are spared; parts of a $batch are calls.
func ParseFaults(s string) (Faults, error) {
	f := Faults{at: map[int]string{}, gone: map[int]string{}}
	for _, item := range strings.Split(s, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		kind, value, random := strings.Cut(item, ":")
		if !random {
			kind, value, _ = strings.Cut(item, "@")
		}
		if _, ok := faultStatuses[kind]; !ok && kind != faultLostReply && kind != faultCut {
			return Faults{}, fmt.Errorf("fault %q: the kinds are lost-reply, cut, %s", item, strings.Join(slices.Sorted(maps.Keys(faultStatuses)), ", "))
		}
		if random {
			p, err := strconv.ParseFloat(value, 64)
			if err != nil || !(p >= 0 && p <= 1) {
				return Faults{}, fmt.Errorf("fault %q: the probability is not a number from 0 to 1", item)
			}
			f.random = append(f.random, randomFault{kind, p})
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return Faults{}, fmt.Errorf("fault %q: want kind:probability or kind@N", item)
		}
		at := f.at
		if kind == faultGone {
			at = f.gone
		}
		if other, ok := at[n]; ok {
			return Faults{}, fmt.Errorf("fault %q: write %d has the fault %s already", item, n, other)
		}
		at[n] = kind
	}
	return f, nil
}

// faultState decides which call gets which fault, and counts.
type faultState struct {
	Faults
	mu     sync.Mutex
	rand   *rand.Rand
	writes int
	deltas int
	fired  map[string]int
}

func newFaultState(f Faults, seed uint64) *faultState {
	return &faultState{Faults: f, rand: rand.New(rand.NewPCG(seed, seed)), fired: map[string]int{}}
}

// next returns the fault of a call, "" for none.
func (f *faultState) next(method string, delta bool) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	write := method != http.MethodGet
	kind := ""
	if write {
		f.writes++
		kind = f.at[f.writes]
	}
	if delta {
		f.deltas++
		kind = f.gone[f.deltas]
	}
	for _, r := range f.random {
		if f.rand.Float64() >= r.probability || kind != "" {
			continue
		}
		if needs := r.kind == faultLostReply || r.kind == faultCut; needs && !write {
			continue
		}
		if r.kind == faultGone && !delta {
			continue
		}
		kind = r.kind
	}
	if kind != "" {
		f.fired[kind]++
	}
	return kind
}

// Fired returns how often each kind of fault was made.
func (s *Server) Fired() map[string]int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return maps.Clone(s.faults.fired)
}
