package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate/proof"
)

func newReportKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Make the key that signs reports, or show which it is",
		Long: `key makes the key that signs the reports of this migration: key_file of [report],
and the public key beside it, whose name ends in .pub. It overwrites nothing: if
there is a key, it only says which. A report makes one too if there is none.

The key is a secret. Keep a copy of it in a safe place: later reports must be
signed with it, so that they can be checked with the same public key. Give the
client the public key, and its fingerprint by another way, on the phone or on
paper: whoever checks a report compares the two.

Exit codes:
  0    there is a key
  1    fatal error, for example the public key is there, but not the key
  2    the command line is wrong`,
		RunE: func(c *cobra.Command, _ []string) error {
			path, _ := c.Flags().GetString("config")
			config, err := loadConfig(path)
			if err != nil {
				return err
			}
			k, err := config.Report.key(c.Context())
			if err != nil {
				return err
			}
			k.print(c.OutOrStdout())
			return nil
		},
	}
}

// A signingKey signs reports.
type signingKey struct {
	private string // a secret
	own     proof.Key
	public  []proof.Key // its own, and those of keys that were lost
	file    string
	fresh   bool // it was made just now
}

// publicFile is the file of the public key.
func (r ReportConfig) publicFile() string { return strings.TrimSuffix(r.KeyFile, ".key") + ".pub" }

// key returns the key of the migration. The first time it makes one.
func (r ReportConfig) key(ctx context.Context) (*signingKey, error) {
	k := &signingKey{file: r.KeyFile}
	secret, err := SecretRef{File: r.KeyFile}.Resolve(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		if err := r.makeKey(); err != nil {
			return nil, err
		}
		k.fresh = true
		secret, err = SecretRef{File: r.KeyFile}.Resolve(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("key_file in [report]: %w", err)
	}
	k.private = secret.Reveal()
	if k.own, err = proof.PublicKey(k.private); err != nil {
		return nil, withHint(fmt.Errorf("key_file in [report]: %s: %w", r.KeyFile, err), "Put the key back from its copy.")
	}
	k.public, err = r.publish(k.own)
	return k, err
}

// makeKey makes a key, unless there is the public half of one that is lost.
func (r ReportConfig) makeKey() error {
	if absent(r.publicFile()) != nil {
		return withHint(fmt.Errorf("%s is there, but not %s, its key", r.publicFile(), r.KeyFile),
			"Put the key back from its copy. If it is lost, move the public key aside, and add it to the new one as a second line: it is still needed to check what was signed with it.")
	}
	// The name tells the log of this migration from that of another.
	private, _, err := proof.NewKey("mailhaul-" + strings.ToLower(rand.Text()[:10]))
	if err != nil {
		return err
	}
	return writeNew(r.KeyFile, private+"\n")
}

// publish writes the public key, unless it is there, and returns all that are.
func (r ReportConfig) publish(own proof.Key) ([]proof.Key, error) {
	keys, err := readKeys(r.publicFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []proof.Key{own}, errors.Join(writeNew(r.publicFile(), own.String()+"\n"), os.Chmod(r.publicFile(), 0o644))
	case err != nil:
		return nil, err
	case !slices.ContainsFunc(keys, func(k proof.Key) bool { return k.String() == own.String() }):
		return nil, withHint(fmt.Errorf("%s has not got the public key of %s", r.publicFile(), r.KeyFile),
			"Earlier reports are checked with the public key: put back the key that belongs to it.")
	}
	return keys, nil
}

// readKeys reads a file of public keys.
func readKeys(path string) ([]proof.Key, error) {
	text, err := readText(path, 64<<10)
	if err != nil {
		return nil, fmt.Errorf("the public key: %w", err)
	}
	keys, err := proof.ReadKeys(string(text))
	if err != nil {
		err = fmt.Errorf("the public key: %s: %w", path, err)
	}
	return keys, err
}

// print says which key it is.
func (k *signingKey) print(w io.Writer) {
	if k.fresh {
		fmt.Fprintf(w, "Made %s, the key that signs reports: it is a secret, keep a copy in a safe place.\n", k.file)
	}
	fmt.Fprintf(w, "Key:          %s\nFingerprint:  %s\n", k.own.Name(), k.own.Fingerprint())
}
