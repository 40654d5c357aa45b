package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManualCommand() *cobra.Command {
	var man, markdown string
	c := &cobra.Command{
		Use:    "manual",
		Short:  "Write the manual from the help texts",
		Long:   "manual writes the help of all commands as man pages, or as one Markdown page.\n\nExit codes:\n  0    written\n  1    fatal error\n  2    the command line is wrong",
		Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			root := c.Root()
			root.DisableAutoGenTag = true
			root.InitDefaultCompletionCmd()
			if man == "" && markdown == "" {
				return &codeError{exitUsage, errors.New("say --man or --markdown")}
			}
			if man != "" {
				if err := os.MkdirAll(man, 0o755); err != nil {
					return err
				}
				if err := doc.GenManTree(root, &doc.GenManHeader{Title: "MAILHAUL", Section: "1"}, man); err != nil {
					return err
				}
			}
			if markdown != "" {
				var b bytes.Buffer
				b.WriteString("# The command line\n\nWritten by `go run ./cmd/mailhaul manual --markdown docs/cli.md`: change the help texts, not this page.\n\n")
				if err := writeMarkdown(&b, root); err != nil {
					return err
				}
				return os.WriteFile(markdown, b.Bytes(), 0o644)
			}
			return nil
		},
	}
	c.Flags().StringVar(&man, "man", "", "`folder` to write man pages to")
	c.Flags().StringVar(&markdown, "markdown", "", "`file` to write one Markdown page to")
	return c
}

// writeMarkdown writes the help of c and of the commands below it. The links
// between pages become links within one.
func writeMarkdown(w io.Writer, c *cobra.Command) error {
	link := func(page string) string { return "#" + strings.ReplaceAll(strings.TrimSuffix(page, ".md"), "_", "-") }
	if err := doc.GenMarkdownCustom(c, w, link); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			if err := writeMarkdown(w, sub); err != nil {
				return err
			}
		}
	}
	return nil
}
