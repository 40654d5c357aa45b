package budget

import "math/big"

// most is the largest number that is exact in every reader of JSON and in every
// sheet (RFC 8259 section 6). What is larger is most+1.
const most = 1<<53 - 1

// A rounding says what becomes of the fraction of a quotient.
type rounding int

const (
	half rounding = iota // half of one and more is one
	up                   // any fraction is one
)

// quotient is the product of factors divided by a number that is 1 or even.
func quotient(r rounding, by int64, factors ...int64) int64 {
	n := big.NewInt(1)
	for _, f := range factors {
		n.Mul(n, big.NewInt(f))
	}
	if r == half {
		n.Add(n, big.NewInt(by/2))
	} else {
		n.Add(n, big.NewInt(by-1))
	}
	return bounded(n.Quo(n, big.NewInt(by)))
}

func sum(a, b int64) int64 { return bounded(new(big.Int).Add(big.NewInt(a), big.NewInt(b))) }

func bounded(n *big.Int) int64 {
	if !n.IsInt64() {
		return most + 1
	}
	return min(n.Int64(), most+1)
}

func (r Range) times(by int64, factors ...int64) Range {
	each := func(n int64) int64 { return quotient(half, by, append(factors, n)...) }
	return Range{each(r.Low), each(r.Expected), each(r.High)}
}

func (r Range) plus(s Range) Range {
	return Range{sum(r.Low, s.Low), sum(r.Expected, s.Expected), sum(r.High, s.High)}
}
