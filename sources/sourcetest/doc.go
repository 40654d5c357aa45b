// Package sourcetest tests implementations of [migrate.Source] and gives them
// servers to read from: a real Dovecot of the test's own, and go-imap's
// in-memory server, which needs nothing but Go.
//
// [Test] is the conformance suite. It fills a [Mailbox], which changes behind
// the source's back as the suite says, and compares what the source tells.
package sourcetest
