// Package gmailsim is a strict local Gmail API, for tests, demonstrations and
// rehearsals.
//
// It answers as Google documents, and where Google documents nothing, as was
// reported; where reports disagree or are silent a field of [Options] chooses.
// It keeps the octets of every message as it received them, and gives back
// through format=raw what Gmail would: the same octets below a few added
// header fields. What it does not simulate (threads.*, settings.*, send,
// format=full, batch, searches other than rfc822msgid:) it refuses with 501
// and never answers wrongly.
//
// Limits: what it knows of Gmail is second hand, and no part was compared with
// a live account. It does not verify signatures of assertions, makes no
// snippets and no filters, and holds the body of a request in memory, at most
// 150 MiB each.
package gmailsim
