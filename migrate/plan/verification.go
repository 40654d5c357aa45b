package plan

import (
	"math/rand/v2"
	"slices"

	"github.com/mailhaul/mailhaul/migrate/verify"
)

// verifiedMessages are compared at once, and the next ones when all of them are.
const verifiedMessages = 64

// compared returns how many calls at once a verification keeps going that
// compares messages like these.
func (m *Migration) compared(parts []part, random *rand.Rand) float64 {
	if len(parts) == 0 {
		return float64(m.Model.Parallel)
	}
	var took, worked float64
	for n := 0; n < positionEvery; {
		ms := draw(parts, random)
		n += len(ms)
		for group := range slices.Chunk(ms, verifiedMessages) {
			free := make([]float64, m.Model.Parallel) // when each call ends
			for _, one := range group {
				took += m.Source.reads(one.octets)
				first := slices.Index(free, slices.Min(free))
				free[first] += one.each.takes(random.NormFloat64())
				worked += one.each.mean
			}
			took += slices.Max(free)
		}
	}
	if took == 0 {
		return float64(m.Model.Parallel)
	}
	return worked / took
}

// verification says what a verification asks for, of a mailbox in which so many
// messages arrived, and those that are known.
func (m *Migration) verification(l *Load, arrived Size) (w verify.Work) {
	arrived = Size{arrived.Messages + l.Known, arrived.Bytes + l.Known*mean(arrived)}
	w.Folders, w.Listed = int64(l.Folders), arrived.Messages
	n := arrived.Messages - l.Merged // whose content is compared at most
	switch m.Depth {
	case verify.Counts:
		return w
	case verify.Content:
		w.Opens = n
	case verify.Sampled:
		if w.Opens = min(int64(m.Sample.N)*max(w.Folders, 1), n); m.Sample.N == 0 {
			w.Opens = int64(m.Sample.Percent / 100 * float64(n))
		}
	}
	w.Looks = n - w.Opens
	w.Bytes = w.Opens * mean(arrived)
	return w
}
