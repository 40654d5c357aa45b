package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/proof"
)

func TestAKeyIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	config := written(t, "mailhaul.toml", sound)
	dir := filepath.Dir(config)
	made := ends(t, exitDone, []string{"report", "key", "--config", config}, "Made "+filepath.Join(dir, "report.key"), "keep a copy")
	key, public := read(t, dir, "report.key"), read(t, dir, "report.pub")
	again := ends(t, exitDone, []string{"report", "key", "--config", config})
	if !strings.HasSuffix(made, again) || strings.Contains(again, "Made") || !strings.Contains(again, "Fingerprint:  ") {
		t.Errorf("first it said\n%sand then\n%s", made, again)
	}
	if string(read(t, dir, "report.key")) != string(key) || string(read(t, dir, "report.pub")) != string(public) {
		t.Error("the key was changed")
	}
	if info, err := os.Stat(filepath.Join(dir, "report.key")); err != nil || private(info) != 0 {
		t.Errorf("others may read the key: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "report.pub")); err != nil || private(info) == 0 && os.PathSeparator == '/' {
		t.Errorf("the public key is for others to read: %v, %v", info.Mode(), err)
	}
	keys, err := proof.ReadKeys(string(public))
	if err != nil || len(keys) != 1 || !strings.Contains(again, keys[0].Fingerprint()) || !strings.Contains(again, keys[0].Name()) {
		t.Errorf("%v, %v are not in %s", keys, err, again)
	}

	ends(t, exitUsage, []string{"report", "key", "extra", "--config", config}, "see mailhaul report key --help")

	remove(t, dir, "report.pub")
	ends(t, exitDone, []string{"report", "key", "--config", config})
	if string(read(t, dir, "report.pub")) != string(public) {
		t.Error("the public key did not come back")
	}
}

func TestAKeyThatIsNotWhatItWasIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(t *testing.T, dir string)
		want []string
	}{
		"lost": {func(t *testing.T, dir string) { remove(t, dir, "report.key") },
			[]string{"report.pub is there, but not ", "report.key, its key", "Put the key back from its copy"}},
		"of others": {func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "report.key"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"key_file in [report]: secret file ", "everyone on this machine may read or change it"}},
		"another": {func(t *testing.T, dir string) {
			private, _, err := proof.NewKey("mailhaul-other")
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, filepath.Join(dir, "report.key"), private+"\n")
		}, []string{"report.pub has not got the public key of ", "put back the key that belongs to it"}},
		"damaged": {func(t *testing.T, dir string) {
			overwrite(t, filepath.Join(dir, "report.key"), "PRIVATE+KEY+hunter2\n")
		},
			[]string{"key_file in [report]: ", "report.key: ", "Put the key back from its copy."}},
	} {
		t.Run(name, func(t *testing.T) {
			config := written(t, "mailhaul.toml", sound)
			dir := filepath.Dir(config)
			ends(t, exitDone, []string{"report", "key", "--config", config})
			c.harm(t, dir)
			before := files(t, dir)
			code, stdout, stderr := mailhaul(t.Context(), "report", "key", "--config", config)
			ended(t, "report key", code, exitError, stdout+stderr, c.want...)
			if strings.Contains(stderr, "hunter2") {
				t.Errorf("it prints the key: %s", stderr)
			}
			if after := files(t, dir); len(after) != len(before) {
				t.Errorf("there were %q, and now %q", before, after)
			}
		})
	}
}

func TestTheKeyIsWhereTheConfigurationSays(t *testing.T) {
	t.Parallel()
	config := written(t, "mailhaul.toml", sound+"[report]\nkey_file = \"acme.key\"\n")
	ends(t, exitDone, []string{"report", "key", "--config", config})
	read(t, filepath.Dir(config), "acme.key")
	read(t, filepath.Dir(config), "acme.pub")
	config = written(t, "mailhaul.toml", sound+"[report]\nkey_file = \"none/acme.key\"\n")
	ends(t, exitError, []string{"report", "key", "--config", config}, "none/acme.key", "no such file")
}

func remove(t *testing.T, path ...string) {
	t.Helper()
	if err := os.Remove(filepath.Join(path...)); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAfterAKeyWasLostReportsGoOnWithBothPublicKeys(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	first := h.report(t, "first")
	lost := string(read(t, h.dir, "report.pub"))
	remove(t, h.dir, "report.key")
	ends(t, exitError, []string{"report", "--config", h.config}, "If it is lost, move the public key aside")
	remove(t, h.dir, "report.pub")
	before := files(t, h.dir)
	ends(t, exitError, []string{"report", "--config", h.config}, "report 1 of this migration: it is not signed with the given key", "Put back the key", "If it is lost, add its public key to ")
	if after := files(t, h.dir); len(after) != len(before)+2 {
		t.Errorf("there were %q, and now %q", before, after)
	}
	h.write(t, "report.pub", string(read(t, h.dir, "report.pub"))+lost)
	second := h.report(t, "second")
	ends(t, exitDone, []string{"report", "check", filepath.Join(second, reportJSON), "--earlier", filepath.Join(first, reportJSON)}, "Goes on from: ")
	ends(t, exitDone, []string{"report", "check", filepath.Join(first, reportJSON), "--key", filepath.Join(h.dir, "report.pub")})
}
