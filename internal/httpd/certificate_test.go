package httpd_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestParseCertificates reads files of certificates, whole ones and such as were cut off: of
// these nothing counts.
func TestParseCertificates(t *testing.T) {
	file, key := hallpasstest.NewAuthority(t, "test").Issue(t.TempDir(), time.Hour)
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	one, other := read(file), read(key)
	one = one[:strings.Index(one, "-----END CERTIFICATE-----\n")+len("-----END CERTIFICATE-----\n")]
	const bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	for name, tt := range map[string]struct {
		text string
		want int
		says string
	}{
		"one":                     {one, 1, ""},
		"two":                     {one + one, 2, ""},
		"with words":              {"# of the company\nsubject=CN = x\n" + one + "\n\n" + one + "the end", 2, ""},
		"with a key":              {other + one, 1, ""},
		"with ends of Windows":    {strings.ReplaceAll(one, "\n", "\r\n"), 1, ""},
		"no end of the last line": {strings.TrimSpace(one), 1, ""},
		"empty":                   {"", 0, "no certificate"},
		"words":                   {"precious", 0, "no certificate"},
		"a key":                   {other, 0, "no certificate"},
		"the second is cut off":   {one + one[:len(one)/2], 0, "block 2 begins and does not end"},
		"the end is cut off":      {one + strings.TrimSuffix(one, "-----\n"), 0, "block 2 "},
		"the first is cut off":    {one[:len(one)/2] + "\n" + one, 0, "block 1 begins and does not end"},
		"the head is lost":        {one[40:] + one, 0, "after block 0 a block ends that did not begin"},
		"no base64":               {one + strings.Replace(one, "\n", "\n!", 1), 0, "block 2 is not in PEM form"},
		"no certificate inside":   {one + bad, 0, "block 2: x509: malformed"},
	} {
		list, err := httpd.ParseCertificates([]byte(tt.text))
		if len(list) != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %d certificates, %v, want %d, %q", name, len(list), err, tt.want, tt.says)
		}
	}
}
