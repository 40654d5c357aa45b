package proof

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/mailhaul/mailhaul/migrate"
)

const page = "../../docs/proof.md"

// examplePrivate is the key of the example, whose seed is 32 times the octet 1.
func examplePrivate(t testing.TB) string {
	t.Helper()
	seed := bytes.Repeat([]byte{1}, 32)
	private, _, err := note.GenerateKey(bytes.NewReader(seed), "example.com/migration")
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// writeExample makes the last section of the page.
func writeExample(t testing.TB) string {
	t.Helper()
	log := &memory{}
	b := &book{folders: []migrate.FolderState{{ID: 1, Folder: migrate.Folder{Path: []string{"Clients", "2019"}, UIDValidity: 1300000001}}},
		records: map[int64][]migrate.Record{1: {
			{Folder: 1, UID: 7, Outcome: migrate.Copied, Settled: time.Unix(1772384400, 0), Size: 5, Digest: migrate.Digest(sha256.Sum256([]byte("hello"))), Target: "18c2f0a1"},
			{Folder: 1, UID: 9, Outcome: migrate.Failed, Settled: time.Unix(1772384401, 0), Size: 40000000},
		}}, replicas: map[int64][]migrate.Replica{1: {{UID: 7, Content: sha256.Sum256([]byte("canonical form"))}}}}
	if _, err := Update(t.Context(), log, Mailbox{"anna@old.example", "anna@example.com", b}); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	tree, err := WriteLog(t.Context(), log, &packed)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := log.Secret(t.Context())
	path := Path([]string{"Clients", "2019"})
	counts := `"listed":2,"pending":0,"copied":1,"adopted":0,"merged":0,"excluded":0,"failed":1,"gone":0,"moved":0,"removed":0`
	report := fmt.Sprintf(`{"format":"mailhaul-report",
"version":1,
"mailboxes":[
{"mailbox":1,%s}
],
"folders":[
{"folder":1,"mailbox":1,%s,"source_name":"anna@old.example","source_nonce":"%s","target_name":"anna@example.com","target_nonce":"%s","path_name":["Clients","2019"],"path_nonce":"%s"}
],
"exceptions":[
{"folder":1,"uid":9,"reason":"It is too large."}
],
"log":{"file":"report.log.gz","entries":3,"sha256":"%x"},
"files":[],
"heads":[],
`, counts, counts, Nonce(secret, KindSource, "anna@old.example"), Nonce(secret, KindTarget, "anna@example.com"), Nonce(secret, KindPath, path), sha256.Sum256(packed.Bytes()))
	private := examplePrivate(t)
	k, err := PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	head, err := Sign(t.Context(), log, private, tree, digestOf(report), time.Date(2026, 3, 1, 18, 30, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	log.heads = []string{head}
	proof, err := Prove(t.Context(), log, 1, 7, &Names{"anna@old.example", "anna@example.com", []string{"Clients", "2019"}})
	if err != nil {
		t.Fatal(err)
	}
	var text, leaves strings.Builder
	for i, e := range log.entries {
		fmt.Fprintln(&text, e.Text)
		h := tlog.RecordHash([]byte(e.Text))
		fmt.Fprintf(&leaves, "leaf %d  %x\n", i, h[:])
	}
	fmt.Fprintf(&leaves, "root    %x\n", tree.Hash[:])
	var s strings.Builder
	block := func(title, content string) { fmt.Fprintf(&s, "%s:\n\n```text\n%s```\n\n", title, content) }
	block("`report.pub`", k.String()+"\n")
	block("Its fingerprint", k.Fingerprint()+"\n")
	block("The entries", text.String())
	block("`report.log.gz`, in base64", wrap(base64.StdEncoding.EncodeToString(packed.Bytes())))
	block("Hashes, in hexadecimal", leaves.String())
	block("The signed head", head)
	block("`report.json`", report+LastLine(head)+"\n")
	block("`proof.json`, of message 7", string(proof))
	return strings.TrimSuffix(s.String(), "\n")
}

// wrap breaks a text into lines.
func wrap(text string) (lines string) {
	for len(text) > 100 {
		lines, text = lines+text[:100]+"\n", text[100:]
	}
	return lines + text + "\n"
}

const exampleIntro = "## An example\n\nA report on one folder with two messages, one copied and one failed, octet for octet. A test checks it.\n\n"

// TestTheExampleOfThePageIsGood takes the files of the example from the page and
// checks them and what is said of them. MAILHAUL_GOLDEN=write writes the example.
func TestTheExampleOfThePageIsGood(t *testing.T) {
	octets, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, example, _ := strings.Cut(string(octets), exampleIntro)
	if os.Getenv("MAILHAUL_GOLDEN") == "write" {
		example = writeExample(t)
		if err := os.WriteFile(page, []byte(before+exampleIntro+example), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	block := func(title string) string {
		t.Helper()
		_, rest, found := strings.Cut(example, title+":\n\n```text\n")
		content, _, ended := strings.Cut(rest, "```\n")
		if !found || !ended {
			t.Fatalf("the page has no %s; run the test with MAILHAUL_GOLDEN=write", title)
		}
		return content
	}
	keys, err := ReadKeys(block("`report.pub`"))
	if err != nil {
		t.Fatal(err)
	}
	if keys[0].Fingerprint()+"\n" != block("Its fingerprint") {
		t.Errorf("the fingerprint is %s", keys[0].Fingerprint())
	}
	packed, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(block("`report.log.gz`, in base64"), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if log, err := io.ReadAll(zip); err != nil || string(log) != block("The entries") {
		t.Errorf("the log is %s, %v", log, err)
	}
	hash := func(octets ...[]byte) []byte {
		sum := sha256.Sum256(bytes.Join(octets, nil))
		return sum[:]
	}
	var hashes strings.Builder
	var leaves [][]byte
	for i, entry := range strings.Split(strings.TrimSuffix(block("The entries"), "\n"), "\n") {
		leaves = append(leaves, hash([]byte{0}, []byte(entry)))
		fmt.Fprintf(&hashes, "leaf %d  %x\n", i, leaves[i])
	}
	root := hash([]byte{1}, hash([]byte{1}, leaves[0], leaves[1]), leaves[2])
	if fmt.Fprintf(&hashes, "root    %x\n", root); hashes.String() != block("Hashes, in hexadecimal") {
		t.Errorf("the hashes are\n%s", &hashes)
	}
	head, _, err := OpenHead(block("The signed head"), keys...)
	if err != nil || hex.EncodeToString(head.Tree.Hash[:]) != hex.EncodeToString(root) {
		t.Errorf("%+v: %v", head, err)
	}
	files := mapFS(map[string][]byte{"report.json": []byte(block("`report.json`")), "report.log.gz": packed})
	r, err := Check(t.Context(), files, "report.json", keys)
	if err != nil || r.Head != head || r.Named != 1 || r.Messages != 2 {
		t.Errorf("%+v: %v", r, err)
	}
	v, err := CheckProof([]byte(block("`proof.json`, of message 7")), keys)
	if err != nil || v.Message.UID != 7 || v.Names == nil {
		t.Errorf("%+v: %v", v, err)
	}
	files["report.pub"] = &fstest.MapFile{Data: []byte(block("`report.pub`"))}
	dir := write(t, files)
	if out, err := exec.Command(needPython(t), pythonChecker, filepath.Join(dir, "report.json"), filepath.Join(dir, "report.pub")).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}
