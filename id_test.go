package hallpass_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

func TestParseID(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"1", 1, true},
		{"42", 42, true},
		{"9223372036854775807", 9223372036854775807, true},
		{"", 0, false},
		{"0", 0, false},
		{"-1", 0, false},
		{"+1", 0, false},
		{"01", 0, false},
		{"1.0", 0, false},
		{"1e3", 0, false},
		{"0x1", 0, false},
		{"1_0", 0, false},
		{" 1", 0, false},
		{"1 ", 0, false},
		{"1\n", 0, false},
		{"1\x00", 0, false},
		{"９", 0, false},
		{"9223372036854775808", 0, false},
		{strings.Repeat("9", 10_000), 0, false},
	} {
		got, ok := hallpass.ParseID(tt.in)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("ParseID(%.40q) = %d, %v; want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "007", "9223372036854775807", "9223372036854775808", "a", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := hallpass.ParseID(s)
		if ok && (n < 1 || strconv.FormatInt(n, 10) != s) {
			t.Errorf("ParseID(%q) = %d, true", s, n)
		}
		if want, err := strconv.ParseInt(s, 10, 64); !ok && err == nil && want > 0 && strconv.FormatInt(want, 10) == s {
			t.Errorf("ParseID(%q) refuses the ID %d", s, want)
		}
		if ok && hallpass.ValidUID(s) {
			t.Errorf("%q is an ID and a uid", s)
		}
	})
}

func TestValidUID(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{"a", true},
		{"fexamp1e00000a", true},
		{"Ab-c_9", true},
		{"Z", true},
		{strings.Repeat("a", 40), true},
		{strings.Repeat("a", 41), false},
		{"", false},
		{"7", false},
		{"7a", false},
		{"-a", false},
		{"_a", false},
		{"a.b", false},
		{"a/b", false},
		{"a b", false},
		{"a\x00", false},
		{"a\n", false},
		{"é", false},
		{"aé", false},
		{"[a", false},
		{"`a", false},
		{"{a", false},
		{"@a", false},
	} {
		if got := hallpass.ValidUID(tt.in); got != tt.want {
			t.Errorf("ValidUID(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}
