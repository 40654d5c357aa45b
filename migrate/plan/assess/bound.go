package assess

import "math"

// upper is the share above which finding at most k in a sample of n has a
// chance below 5 % (Clopper and Pearson 1934, one-sided). That messages are
// drawn without putting them back only makes it safer.
func upper(n, k int64) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		p := (lo + hi) / 2
		if atMost(n, k, p) > 0.05 {
			lo = p
		} else {
			hi = p
		}
	}
	return hi
}

// atMost is the chance of at most k successes in n trials of chance p.
func atMost(n, k int64, p float64) (sum float64) {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	for i := range k + 1 {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
