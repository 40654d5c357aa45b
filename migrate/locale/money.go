package locale

import (
	"math/big"
	"strings"
)

// Money writes an amount in the smallest unit of a currency, which is named by
// its code in ISO 4217: "EUR 1,234.50".
func (l *Language) Money(minor int64, currency string) string {
	n := Digits(currency)
	s, sign := new(big.Int).Abs(big.NewInt(minor)).String(), ""
	if minor < 0 {
		sign = "-"
	}
	s = strings.Repeat("0", max(0, n+1-len(s))) + s
	amount := l.grouped(s)
	if point := len(s) - n; n > 0 {
		amount = l.grouped(s[:point] + "." + s[point:])
	}
	return fill(l.words.Money, "amount", sign+amount, "currency", currency)
}

// Digits is how many decimals the amounts of a currency have (ISO 4217, list
// one, of 2026-01-01).
func Digits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}
