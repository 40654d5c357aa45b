package locale

import (
	"math"
	"strconv"
	"strings"
)

// none stands for a number that is none.
const none = "–"

// Count writes n with a sign between thousands: "12,345".
func (l *Language) Count(n int64) string {
	return l.grouped(strconv.FormatInt(n, 10))
}

// Number writes v with two decimals, or fewer if they are 0, and with none from
// 100 on: "0.25", "1,250". What is not finite is "–".
func (l *Language) Number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	if math.Abs(v) >= 100 {
		return l.decimal(v, 0)
	}
	return l.trimmed(v, 2)
}

// Percent writes a share with one decimal, or none if that is 0: 0.5 is "50%".
// What is not all is never "100%", and what is not nothing never "0%":
// they are ">99.9%" and "<0.1%".
func (l *Language) Percent(share float64) string {
	text := none
	switch v := share * 100; {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case v > 0 && v < 0.05:
		text = "<" + l.decimal(0.1, 1)
	case v >= 99.95 && v < 100:
		text = ">" + l.decimal(99.9, 1)
	default:
		text = l.trimmed(v, 1)
	}
	return fill(l.words.Percent, "n", text)
}

// Bytes writes a size in octets with three digits, in units of 1000: "18.2 MB".
func (l *Language) Bytes(n int64) string {
	v, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	if math.Abs(v) < 1000 {
		return l.Count(n) + "\u00a0B"
	}
	for math.Abs(v) >= 999.5 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	digits := 0
	switch {
	case math.Abs(v) < 9.995:
		digits = 2
	case math.Abs(v) < 99.95:
		digits = 1
	}
	return l.decimal(v, digits) + "\u00a0" + units[0]
}

// trimmed writes v with at most that many decimals.
func (l *Language) trimmed(v float64, digits int) string {
	for digits > 0 && math.Mod(math.Round(v*math.Pow10(digits)), 10) == 0 {
		digits--
	}
	return l.decimal(v, digits)
}

// decimal writes v, which is finite, with that many decimals.
func (l *Language) decimal(v float64, digits int) string {
	return l.grouped(strconv.FormatFloat(v, 'f', digits, 64))
}

// grouped takes a number as strconv writes it.
func (l *Language) grouped(s string) string {
	whole, fraction, ok := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + l.words.Group + whole[i:]
	}
	if ok {
		whole += l.words.Point + fraction
	}
	return whole
}

// fill puts values, given as pairs of name and value, into a template.
func fill(template string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
