package main

import (
	"fmt"
	"io"
	"os"

	model "github.com/mailhaul/mailhaul/migrate/document"
)

const (
	logoLimit     = 1 << 20
	forewordLimit = 64 << 10
)

// brand reads how reports look.
func (r ReportConfig) brand() (model.Brand, error) {
	b := model.Brand{Name: r.Company, Colour: r.Colour}
	if r.LogoFile != "" {
		f, err := os.Open(r.LogoFile)
		if err != nil {
			return b, fmt.Errorf("logo_file: %w", err)
		}
		defer f.Close()
		if b.Logo, err = io.ReadAll(io.LimitReader(f, logoLimit+1)); err != nil {
			return b, fmt.Errorf("logo_file: %w", err)
		}
		if len(b.Logo) > logoLimit {
			return b, withHint(fmt.Errorf("logo_file: %s is larger than 1 MiB", r.LogoFile), "Make the logo smaller: a height of 200 pixels is enough.")
		}
	}
	if r.ForewordFile != "" {
		text, err := readText(r.ForewordFile, forewordLimit)
		if err != nil {
			return b, fmt.Errorf("foreword_file: %w", err)
		}
		b.Foreword = string(text)
	}
	return b, nil
}
