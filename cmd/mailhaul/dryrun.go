package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// dryFlag makes a plan of a run.
const dryFlag = "dry-run"

// dryRun is "mailhaul plan" with the flags of a run, which plan must know too.
func dryRun(run *cobra.Command) error {
	plan, _, err := run.Root().Find([]string{"plan"})
	if err != nil {
		return err
	}
	plan.SetContext(run.Context())            // which has the trace
	problems := []error{plan.ParseFlags(nil)} // it takes over what all commands have
	run.Flags().Visit(func(f *pflag.Flag) {
		to := plan.Flags().Lookup(f.Name)
		switch values, several := f.Value.(pflag.SliceValue); {
		case f.Name == dryFlag || f.Name == "trace" || to == f:
		case to == nil:
			problems = append(problems, &codeError{exitUsage, fmt.Errorf("--dry-run copies nothing: leave out --%s", f.Name)})
		case several:
			problems = append(problems, to.Value.(pflag.SliceValue).Replace(values.GetSlice()))
		default:
			problems = append(problems, plan.Flags().Set(f.Name, f.Value.String()))
		}
	})
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return plan.RunE(plan, nil)
}
