package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	model "github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/migrate/plan/proposal"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// The files of a plan.
const (
	planHTML = "plan.html"
	planXLSX = "plan.xlsx"
	planJSON = "plan.json"
)

// planning is one call of "mailhaul plan".
type planning struct {
	config    *Config
	digest    string // of the configuration
	mailboxes []Mailbox
	depth     assess.Depth
	jobs      int
	start     time.Time
	verify    verify.Verifier
	pack      bool              // into waves
	waves     map[string]string // that were packed, by source
	kept      string            // the folder of assessments
	out       string            // the folder of the plan
	plain     bool
}

// An assessed mailbox has an assessment, or the reason why it has none.
type assessed struct {
	Mailbox
	*assess.Assessment
	err error
}

// run writes the plan, and says what is on its first page.
func (p *planning) run(ctx context.Context, stdout, stderr io.Writer) error {
	target, bounds := planTarget(p.config.Target.Kind)
	all, err := p.assess(ctx, bounds, stderr)
	if err != nil {
		return err
	}
	done, err := p.done(ctx)
	if err != nil {
		return err
	}
	target.Skew = clockSkew(ctx, p.config.endpoint())
	addUnserved(&target, readUnserved(p.kept, p.config), p.mailboxes)
	var known []*assess.Assessment
	times := readMeasured(p.kept, p.config)
	m := &plan.Migration{Model: planModel(p.config, times), Source: planSource(p.config, times), Jobs: p.config.Run.Jobs, Window: p.config.Run.window,
		Start: p.start, Deltas: 1, Depth: p.verify.Depth, Sample: p.verify.Sample, Doubt: times.doubt(), Seed: 1}
	var closed int
	var arrived int64
	for _, a := range all {
		if a.err != nil {
			closed++
			reason, hint := migrate.Explain(a.err)
			target.Unopened = append(target.Unopened, assess.Trouble{Mailbox: a.Source, Reason: reason, Hint: hint})
			continue
		}
		known = append(known, a.Assessment)
		load := assess.Load(a.Assessment, target)
		if n := done[[2]string{a.Source, a.Target}]; n > 0 {
			load = load.Remaining(n)
			arrived += n
		}
		load.Wave = a.Wave
		m.Loads = append(m.Loads, load)
		if !slices.ContainsFunc(m.Waves, func(w plan.Wave) bool { return w.Name == a.Wave }) {
			m.Waves = append(m.Waves, plan.Wave{Name: a.Wave})
		}
	}
	var forecast *plan.Forecast
	switch {
	case len(m.Loads) == 0:
	case p.pack:
		forecast, err = p.packed(ctx, m, all)
	default:
		forecast, err = m.Forecast(ctx)
	}
	if err != nil {
		return err
	}
	doc, err := p.document(ctx, all, proposal.Migration{Risks: assess.Risks(known, target), Forecast: forecast, Done: arrived, Calls: times.told(p.config.Target.Kind)})
	if err != nil {
		return err
	}
	if err := p.write(doc); err != nil {
		return err
	}
	p.print(stdout, doc)
	if closed > 0 {
		return &codeError{exitPerson, fmt.Errorf("the plan is written; %s not be opened", count(int64(closed), "mailbox could", "mailboxes could"))}
	}
	return nil
}

// done counts the messages of each mailbox that earlier runs have moved, by source
// and target.
func (p *planning) done(ctx context.Context) (map[[2]string]int64, error) {
	if absent(p.config.Run.Checkpoints) == nil {
		return nil, nil
	}
	store, err := sqlite.OpenReadOnly(p.config.Run.Checkpoints)
	if err != nil {
		return nil, err
	}
	tallies, err := store.Tally(ctx)
	done := map[[2]string]int64{}
	for _, t := range tallies {
		done[[2]string{t.Mailbox, t.To}] += t.Arrived()
	}
	return done, errors.Join(err, store.Close())
}

// assess assesses all mailboxes, several at once, and keeps what it finds out.
func (p *planning) assess(ctx context.Context, bounds []int64, stderr io.Writer) ([]assessed, error) {
	k := &connections{config: p.config} // the target is not needed
	progress := new(migrate.Progress)
	all := make([]assessed, len(p.mailboxes))
	shown := make([]*migrate.MailboxProgress, len(all))
	limiters := map[string]*pace.Limiter{}
	for i, m := range p.mailboxes {
		all[i] = assessed{m, nil, migrate.ErrNotStarted}
		shown[i] = progress.Add(m.Source, m.Target)
		limiters[m.Source] = pace.NewLimiter(nil)
	}
	view := newShown(p.config, "plan", "failed")
	view.File = "" // a run may be at work, which is more worth watching
	stop := view.show(ctx, progress.Snapshot, func() map[string]*pace.Limiter { return limiters }, stderr)
	defer stop() // if it panics
	err := migrate.Each(ctx, p.config.Run.Jobs, len(all), func(ctx context.Context, i int) error {
		shown[i].Begin()
		all[i].Assessment, all[i].err = p.mailbox(ctx, k, p.mailboxes[i], bounds, shown[i])
		shown[i].End(all[i].err)
		return all[i].err
	})
	stop()
	return all, err
}

// planPatience is how long a mailbox is tried that fails: somebody waits.
const planPatience = 2 * time.Minute

func (p *planning) mailbox(ctx context.Context, k *connections, m Mailbox, bounds []int64, progress *migrate.MailboxProgress) (*assess.Assessment, error) {
	retry := migrate.DefaultRetry
	retry.Patience = planPatience
	progress.Phase("connecting")
	var source migrate.Source
	err := retry.Do(ctx, progress.Wait, func() (err error) { source, err = k.source(ctx, m); return err })
	if err != nil {
		return nil, err
	}
	defer source.Close()
	a, err := assess.Mailbox(ctx, m.Source, source, assess.Open(p.kept, m.Source), assess.Options{Depth: p.depth, Rules: p.config.rules(), Bounds: bounds,
		Blocked: blockedFiles(p.config.Target.Kind), Sealed: sealedMost(p.config), Retry: retry, Progress: progress})
	if err == nil && p.depth != assess.Fast {
		err = migrate.Saved(a.Save(p.kept))
	}
	return a, err
}

// document is the plan, of which m has what was found out.
func (p *planning) document(ctx context.Context, all []assessed, m proposal.Migration) (*model.Document, error) {
	c := p.config
	m.Prices = c.prices()
	m.Depth, m.Jobs, m.Rules = p.depth, c.Run.Jobs, c.leftOut()
	for _, a := range all {
		m.Mailboxes = append(m.Mailboxes, proposal.Mailbox{Source: a.Source, Target: a.Target, Wave: a.Wave, Assessment: a.Assessment})
	}
	var err error
	if m.Cover, err = c.cover(ctx, p.digest); err != nil {
		return nil, err
	}
	return proposal.New(m)
}

// write writes all files, and then lets the folder have its name.
func (p *planning) write(doc *model.Document) (err error) {
	folder, err := newReportFolder(p.out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.discard()) }() // of one that is finished nothing is left here
	faces := map[string]func(io.Writer) error{planHTML: doc.WriteHTML, planXLSX: doc.WriteXLSX,
		planJSON: func(w io.Writer) error { return doc.WriteJSON(w, nil, nil) }}
	if p.waves != nil {
		faces[planList] = p.writeList
	}
	for name, face := range faces {
		if _, err := folder.write(name, face); err != nil {
			return err
		}
	}
	return folder.finish()
}

// print says where the plan is, and what its first page says.
func (p *planning) print(w io.Writer, doc *model.Document) {
	fmt.Fprintf(w, "The plan is in %s\n\n", p.out)
	if p.waves != nil {
		fmt.Fprintf(w, "Your list of mailboxes with these waves is %s\nPut it in the place of yours when you agree.\n\n", filepath.Join(p.out, planList))
	}
	printGlance(w, doc)
}
