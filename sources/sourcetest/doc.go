// Package sourcetest tests implementations of [migrate.Source] and gives them
// servers to read from: a real Dovecot of the test's own, in which a test does
// what users and administrators do, go-imap's in-memory server, which needs
// nothing but Go, and one that makes up a million messages.
//
// [Test] is the conformance suite. It fills a [Mailbox], which changes behind
// the source's back as the suite says, and compares what the source tells.
package sourcetest
