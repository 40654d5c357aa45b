package migrate

import (
	"context"
	"errors"
	"testing"
)

func TestTroubleOfThisMachineStopsAllMailboxesAndTheirOwnNone(t *testing.T) {
	begun := 0
	err := Each(t.Context(), 1, 5, func(context.Context, int) error { begun++; return errors.New("its own") })
	if begun != 5 || err != nil {
		t.Errorf("%d of 5 were begun, %v", begun, err)
	}
	begun, full := 0, errors.New("disk full")
	err = Each(t.Context(), 1, 5, func(_ context.Context, i int) error {
		if begun++; i == 1 {
			return Saved(full)
		}
		return nil
	})
	if begun != 2 || !errors.Is(err, full) {
		t.Errorf("%d were begun, %v; want 2 and the trouble", begun, err)
	}
}

func TestNoMailboxBeginsAfterTheRunWasTold(t *testing.T) {
	told := errors.New("told")
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := 0
	err := Each(ctx, 1, 5, func(context.Context, int) error {
		if begun++; begun == 2 {
			cancel(told)
		}
		return nil
	})
	if begun != 2 || !errors.Is(err, told) {
		t.Errorf("%d were begun, %v; want 2 and the cause", begun, err)
	}
}
