package document

import "math"

// A chart is drawn in a box of this size, in units of its own, which on a wide
// page are pixels.
const (
	chartWidth  = 800
	chartHeight = 300
	marginLeft  = 88 // for 1,000,000,000
	marginRight = 16
	marginTop   = 26 // with the unit
	marginBelow = 44
)

// mostPoints is how many points of a line, and mostBars how many columns of a
// series, are drawn. More are put together.
const (
	mostPoints = 400
	mostBars   = 60
)

// A bucket is the points from index from to index to - 1, drawn as one.
type bucket struct{ from, to int }

// buckets puts n points together so that there are most at most, in equal
// numbers but for the last.
func buckets(n, most int) []bucket {
	each := max(1, (n+most-1)/most)
	var all []bucket
	for i := 0; i < n; i += each {
		all = append(all, bucket{i, min(i+each, n)})
	}
	return all
}

// mean is the mean of the values in the bucket, or NaN without any.
func (b bucket) mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range b.of(values) {
		if drawable(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// extremes returns the indexes of the least and the greatest value in the
// bucket, the earlier first; none if it has no value.
func (b bucket) extremes(values []float64) []int {
	least, greatest := -1, -1
	for i, v := range b.of(values) {
		if !drawable(v) {
			continue
		}
		if least < 0 || v < values[least] {
			least = b.from + i
		}
		if greatest < 0 || v > values[greatest] {
			greatest = b.from + i
		}
	}
	switch {
	case least < 0:
		return nil
	case least == greatest:
		return []int{least}
	}
	return []int{min(least, greatest), max(least, greatest)}
}

// of returns the values in the bucket.
func (b bucket) of(values []float64) []float64 {
	to := min(b.to, len(values))
	return values[min(b.from, to):to]
}

// drawable says whether v is a number of which there may be so many. What is not
// leaves a gap.
func drawable(v float64) bool { return math.Abs(v) <= 1e15 }

// A scale maps values to heights in the box, with round ticks.
type scale struct {
	low, high, step float64
}

// newScale covers 0 and the values from low to high.
func newScale(low, high float64) scale {
	low, high = min(low, 0), max(high, 0)
	if high-low < 1e-9 {
		high = low + 1
	}
	step := roundStep((high - low) / 5)
	return scale{math.Floor(low/step) * step, math.Ceil(high/step) * step, step}
}

// roundStep is the least of 1, 2 and 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= v {
			return f * power
		}
	}
	return 10 * power
}

// y is where v is in the box.
func (s scale) y(v float64) float64 {
	return marginTop + (chartHeight-marginTop-marginBelow)*(s.high-v)/(s.high-s.low)
}

// ticks are the values that are named at the axis.
func (s scale) ticks() []float64 {
	n := int(math.Round((s.high - s.low) / s.step))
	all := make([]float64, n+1)
	for i := range all {
		all[i] = s.low + float64(i)*s.step
	}
	return all
}
