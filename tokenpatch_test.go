package hallpass_test

import (
	"errors"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestTidyOwner has owners that are accepted, with the address that gets mail, and
// owners that are refused: no text of an owner becomes a header of a mail.
func TestTidyOwner(t *testing.T) {
	for _, tt := range []struct{ owner, kept, address string }{
		{" platform ", "platform", ""},
		{"ada@example.com", "ada@example.com", "ada@example.com"},
		{"Ada <ada@example.com>", "Ada <ada@example.com>", "ada@example.com"},
		{`"Lovelace, Ada" <ada@example.com>`, `"Lovelace, Ada" <ada@example.com>`, "ada@example.com"},
		{"<ada@example.com>", "<ada@example.com>", "ada@example.com"},
		{"Ada ada@example.com", "", ""},
		{"ada@example.com, bob@example.com", "", ""},
		{"@platform", "", ""},
		{"Ada <ada@example.com>\r\nBcc: eve@example.com", "", ""},
		{"Ada\r\nBcc: eve@example.com\r\n <ada@example.com>", "", ""},
		{"Ada <ada@example.com\r\nBcc: eve@example.com>", "", ""},
		{`Ada <"ada eve"@example.com>`, "", ""},
		{`"ada"@example.com`, "", ""},
		{`"ada\r\neve"@example.com`, "", ""},
		{`"ada@eve"@example.com`, "", ""},
		{`"ada>"@example.com`, "", ""},
		{`"ada..eve"@example.com`, "", ""},
		{`".ada"@example.com`, "", ""},
		{`"ada\"eve"@example.com`, "", ""},
		{`"ada\\"@example.com`, "", ""},
		{`"ada,eve"@example.com`, "", ""},
		{`""@example.com`, "", ""},
		{"ada@[127.0.0.1]", "", ""},
		{"ada@[IPv6:::1]", "", ""},
		{"ada@exam_ple.com", "", ""},
		{"ada@example.com.", "", ""},
		{"ada.o'hara+ci@mail.example.com", "ada.o'hara+ci@mail.example.com", "ada.o'hara+ci@mail.example.com"},
		{"ädä@exämple.com", "ädä@exämple.com", "ädä@exämple.com"},
		{"用户@例え.jp", "用户@例え.jp", "用户@例え.jp"},
		{"ada＠eve@example.com", "", ""},
		{"ada\u200b@example.com", "", ""},
		{"ada\u00a0eve@example.com", "", ""},
		{"ada@exam＞ple.com", "", ""},
		{"hallpass@localhost", "hallpass@localhost", "hallpass@localhost"},
		{"Ada\u2028 <ada@example.com>", "", ""},
	} {
		owner := tt.owner
		err := hallpass.TidyOwner(&owner, nil)
		if tt.kept == "" {
			if !errors.Is(err, hallpass.Invalid) {
				t.Errorf("%q: %v, want it refused", tt.owner, err)
			}
			continue
		}
		if address, _ := hallpass.MailAddress(owner); err != nil || owner != tt.kept || address != tt.address {
			t.Errorf("%q: %q to %q, %v", tt.owner, owner, address, err)
		}
	}
}
