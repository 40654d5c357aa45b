package main

import (
	"fmt"
	"io"
	"sync"
)

// keptRemarks is how many are kept while a terminal shows a view.
const keptRemarks = 100

// Remarks are said to whoever looks at a run. While a view is on the terminal the
// latest is in it, and they are written when the view is gone.
type remarks struct {
	mu   sync.Mutex
	w    io.Writer
	held bool
	kept []string
}

// say says something, in a line.
func (n *remarks) say(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept = append(n.kept, printable(text))
	n.kept = n.kept[max(len(n.kept)-keptRemarks, 0):]
	n.write()
}

// to names where notes are written.
func (n *remarks) to(w io.Writer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.w = w
	n.write()
}

// hold keeps them back while a view is on the terminal.
func (n *remarks) hold(held bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = held
	n.write()
}

func (n *remarks) write() {
	if n.held || n.w == nil {
		return
	}
	for _, text := range n.kept {
		fmt.Fprintln(n.w, text)
	}
	n.kept = nil
}

// latest is what a view shows of them: one, or none.
func (n *remarks) latest() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[max(len(n.kept)-1, 0):]
}
