package federation

import (
	"fmt"
	"strconv"

	"github.com/jmespath-community/go-jmespath"

	"github.com/hallpass-dev/hallpass"
)

// Attributes are paths into the claims about a person, as JMESPath (jmespath.org). An
// empty path is the claim that providers usually have.
type Attributes struct {
	Login  string // empty: preferred_username, then login, then username
	Email  string // empty: email
	Name   string // empty: name
	Role   string // Viewer, Editor, Admin, None or GrafanaAdmin; empty: no role is read
	Groups string // a list of texts; empty: no groups are read
}

// ValidatePath returns an error if s is no JMESPath. An empty one is valid.
func ValidatePath(s string) error {
	_, err := compile(s)
	return err
}

// A path finds a value in claims. The zero path finds nothing.
type path struct{ expression jmespath.JMESPath }

func compile(s string) (path, error) {
	if s == "" {
		return path{}, nil
	}
	expression, err := jmespath.Compile(s)
	if err != nil {
		return path{}, fmt.Errorf("%q is not a JMESPath: %w", s, err)
	}
	return path{expression}, nil
}

// empty reports whether there is no path.
func (p path) empty() bool { return p.expression == nil }

// find returns what the claims hold there; nil if that is nothing, or if a function of
// the expression does not take what it got.
func (p path) find(c claims) any {
	if p.empty() {
		return nil
	}
	found, err := p.expression.Search(map[string]any(c))
	if err != nil {
		return nil
	}
	return found
}

// text returns what the claims hold there as text; "" if it is neither text nor a
// number.
func (p path) text(c claims) string { return textOf(p.find(c)) }

// textOf returns a claim as text. Some providers name people by number.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// Limits of groups: an index of PostgreSQL takes no longer names.
const (
	maxGroups = 10_000
	maxGroup  = 1024 // bytes
)

// texts returns the texts of the list that the claims hold there. One text is a list
// of one. What is no text, or longer than a group can be, is left out.
func (p path) texts(c claims) ([]string, error) {
	found := p.find(c)
	if one, ok := found.(string); ok {
		found = []any{one}
	}
	list, _ := found.([]any)
	if len(list) > maxGroups {
		return nil, &hallpass.Error{
			Kind: hallpass.Denied, ID: "federation.too-many-groups", Message: fmt.Sprintf("The provider names %d groups for you, and %d are taken: let it send only those that matter here", len(list), maxGroups),
		}
	}
	var texts []string
	for _, entry := range list {
		if s, ok := entry.(string); ok && s != "" && len(s) <= maxGroup {
			texts = append(texts, s)
		}
	}
	return texts, nil
}
