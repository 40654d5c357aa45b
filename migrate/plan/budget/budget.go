// Package budget says what a migration costs: line by line, from prices, from how
// many mailboxes and waves there are, and from when a forecast says that all is
// done.
//
// Amounts are whole numbers of the smallest unit of one currency. A line is
// rounded once, half up, and sums are of what was rounded, so that whoever adds up
// the lines gets the total. docs/budget.md says how each line is computed.
package budget

import (
	"errors"
	"time"

	"github.com/mailhaul/mailhaul/migrate/plan"
)

// Prices are what a consultant charges, what others charge, and how much work
// there is. None is negative.
type Prices struct {
	Currency string // of all amounts, ISO 4217

	Lead, Engineer, Support int64 // an hour

	Mailbox   time.Duration // of an engineer, for each mailbox
	Wave      time.Duration // of the lead, for each wave
	Day       time.Duration // of an engineer, for each day of the move
	Incidents int64         // that are expected of 100 mailboxes
	Incident  time.Duration // of support, for each incident
	Reports   int64
	Report    time.Duration // of the lead, for each report

	Licence   int64 // for each mailbox and month of the new system
	OldSystem int64 // for each month
	DualDays  int   // both systems run so long after the end of the move

	Million int64 // for a million units that are asked of the target beyond Free
	Free    int64 // units a day without a charge; 0: the target charges for none

	Contingency int64 // percent of all else
}

// Work is what is to be done.
type Work struct {
	Mailboxes, Waves int64
	Start            time.Time // of the move; its zone is that of the months
	End              plan.Range
	Units            []int64 // that are asked of the target on each day
}

// The keys of lines, in their order.
const (
	Mailboxes   = "mailboxes"
	Waves       = "waves"
	Supervision = "supervision"
	Incidents   = "incidents"
	Reports     = "reports"
	Licences    = "licences"
	OldSystem   = "old_system"
	Calls       = "calls" // only if the target charges for them
	Contingency = "contingency"
)

// A Budget is what all costs.
type Budget struct {
	Lines []Line
	Total Range // the sum of the lines
}

// A Line is how much of something there is, and what that costs.
type Line struct {
	Key    string
	Count  Range         // none of Contingency
	Each   time.Duration // of work; 0 for what is no work
	Price  int64         // of an hour of work, of a million of Calls, or of one
	Amount Range
}

// A Range is a number in the low, the expected and the high case: those of P10,
// P50 and P90.
type Range struct{ Low, Expected, High int64 }

// ErrTooMuch means that numbers are too large to be money.
var ErrTooMuch = errors.New("the budget comes to more than can be written exactly: look at the prices and times in [budget]")

// Of returns what w costs at p, or ErrTooMuch.
func Of(p Prices, w Work) (*Budget, error) {
	always := func(n int64) Range { return Range{n, n, n} }
	until := func(count func(end time.Time) int64) Range {
		return Range{count(w.End.P10), count(w.End.P50), count(w.End.P90)}
	}
	days := until(func(end time.Time) int64 { return daysBegun(w.Start, end) })
	months := until(func(end time.Time) int64 {
		return monthsBegun(w.Start, end.In(w.Start.Location()).AddDate(0, 0, p.DualDays))
	})
	incidents := Range{quotient(up, 200, w.Mailboxes, p.Incidents), quotient(up, 100, w.Mailboxes, p.Incidents), quotient(up, 50, w.Mailboxes, p.Incidents)}
	b := &Budget{Lines: []Line{
		{Key: Mailboxes, Count: always(w.Mailboxes), Each: p.Mailbox, Price: p.Engineer},
		{Key: Waves, Count: always(w.Waves), Each: p.Wave, Price: p.Lead},
		{Key: Supervision, Count: days, Each: p.Day, Price: p.Engineer},
		{Key: Incidents, Count: incidents, Each: p.Incident, Price: p.Support},
		{Key: Reports, Count: always(p.Reports), Each: p.Report, Price: p.Lead},
		{Key: Licences, Count: months.times(1, w.Mailboxes), Price: p.Licence},
		{Key: OldSystem, Count: months, Price: p.OldSystem},
	}}
	if p.Free > 0 {
		b.Lines = append(b.Lines, Line{Key: Calls, Count: always(beyond(p.Free, w.Units)), Price: p.Million})
	}
	for i := range b.Lines {
		l := &b.Lines[i]
		l.Amount = l.amount()
		b.Total = b.Total.plus(l.Amount)
	}
	rest := Line{Key: Contingency, Amount: b.Total.times(100, p.Contingency)}
	b.Lines, b.Total = append(b.Lines, rest), b.Total.plus(rest.Amount)
	for _, l := range b.Lines {
		if max(l.Count.High, b.Total.High) > most {
			return nil, ErrTooMuch
		}
	}
	return b, nil
}

func (l *Line) amount() Range {
	switch l.Key {
	case Licences, OldSystem:
		return l.Count.times(1, l.Price)
	case Calls:
		return l.Count.times(1_000_000, l.Price)
	}
	return l.Count.times(int64(time.Hour), int64(l.Each), l.Price)
}

// beyond sums up what each day has above free.
func beyond(free int64, units []int64) (n int64) {
	for _, u := range units {
		n = sum(n, max(0, u-free))
	}
	return n
}
