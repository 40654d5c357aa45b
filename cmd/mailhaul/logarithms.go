package main

import (
	"math"
	"time"
)

// logarithms count seconds by their logarithm, in steps of 4.4 %, from 61 µs to
// more than an hour.
type logarithms struct {
	n    int64
	each [(powerMost - powerLeast) * stepsTwofold]int64
}

// Steps from one power of 2 to the next, and the powers.
const stepsTwofold, powerLeast, powerMost = 16, -14, 12

func (l *logarithms) add(seconds float64) {
	l.n++
	step := 0.0
	if seconds > 0 {
		step = (math.Log2(seconds) - powerLeast) * stepsTwofold
	}
	l.each[int(min(max(step, 0), float64(len(l.each)-1)))]++
}

// middle returns the logarithm of what is in the middle of a step.
func middle(step float64) float64 { return ((step+0.5)/stepsTwofold + powerLeast) * math.Ln2 }

// median returns what half of all are below, in seconds.
func (l *logarithms) median() float64 {
	before, wanted := int64(0), float64(l.n)/2
	for step, n := range l.each {
		if n > 0 && float64(before+n) >= wanted {
			within := (wanted - float64(before)) / float64(n)
			return math.Exp(middle(float64(step) + within - 0.5))
		}
		before += n
	}
	return 0
}

func (l *logarithms) times() times {
	var sum, squares float64
	for step, n := range l.each {
		x := middle(float64(step))
		sum, squares = sum+float64(n)*x, squares+float64(n)*x*x
	}
	t := times{Calls: l.n, Median: time.Duration(l.median() * float64(time.Second))}
	if l.n > 1 {
		t.Sigma = math.Sqrt(max(squares-sum*sum/float64(l.n), 0) / float64(l.n-1))
	}
	return t
}
