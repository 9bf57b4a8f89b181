package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestBOM lists what is in the binary of this test: it is what `go version -m` says, and
// fits the schema of CycloneDX.
func TestBOM(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range info.Deps {
		if d.Replace != nil { // the product, which is beside this module
			if _, err := bomOf(info, "1.2.3", time.Time{}); err == nil || !strings.Contains(err.Error(), "is replaced") {
				t.Errorf("a module that is replaced: %v", err)
			}
			info.Deps = slices.Delete(info.Deps, i, i+1)
			break
		}
	}
	bom, err := bomOf(info, "1.2.3", time.Date(2026, 11, 27, 9, 54, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		t.Fatal(err)
	}
	fits(t, text.Bytes())
	if got, want := told(t, text.Bytes()), says(t, path); got != want {
		t.Errorf("the list says:\n%s\ngo version -m says:\n%s", got, want)
	}
}

// told returns the modules of a list, one a line, as go version -m has them.
func told(t *testing.T, text []byte) string {
	var bom struct {
		Components []struct {
			Name, Version string
			Hashes        []struct{ Content string }
		}
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range bom.Components {
		if c.Name == "std" {
			continue
		}
		b.WriteString(c.Name + " " + c.Version)
		for _, h := range c.Hashes {
			sum, err := hex.DecodeString(h.Content)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(" h1:" + base64.StdEncoding.EncodeToString(sum))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// says returns what go version -m says of the modules that are not replaced.
func says(t *testing.T, path string) string {
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	lines := strings.Split(string(out), "\n")
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) > 2 && words[0] == "dep" && !strings.HasPrefix(strings.TrimSpace(lines[i+1]), "=>") {
			b.WriteString(strings.Join(words[1:], " ") + "\n")
		}
	}
	if strings.Count(b.String(), "\n") < 10 {
		t.Fatalf("go version -m names few modules: %s", out)
	}
	return b.String()
}

// fits compares a list with the schema that the module of CycloneDX has.
func fits(t *testing.T, text []byte) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	for url, name := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, filepath.Join(strings.TrimSpace(string(dir)), "schema", name))))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+url, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	if err := valid(text); err != nil {
		t.Error(err)
	}
	if valid(bytes.Replace(text, []byte(`"library"`), []byte(`"nonsense"`), 1)) == nil {
		t.Error("the schema finds no fault in a kind of component that there is not")
	}
}
