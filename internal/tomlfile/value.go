// Package tomlfile reads what operators write into TOML files: values into fields, and
// guards. Its errors repeat keys and no values, which may be secrets. It opens no file, and
// is safe for concurrent use.
package tomlfile

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass"
)

// Assign sets v, which can be set, to a value of a decoded file. The error says in words
// what the value must be.
func Assign(v reflect.Value, value any) error {
	_, own := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch kind := v.Kind(); {
	case own || kind == reflect.String:
		if text, ok := value.(string); ok {
			return Set(v, text)
		}
		return errors.New(`the value must be text in quotes, as in key = "value"`)
	case kind == reflect.Bool:
		if b, ok := value.(bool); ok {
			v.SetBool(b)
			return nil
		}
		return errors.New("the value must be true or false, without quotes")
	case kind == reflect.Slice:
		return assignList(v, value)
	}
	n, ok := value.(int64)
	if !ok {
		return errors.New("the value must be a whole number, without quotes")
	}
	v.SetInt(n)
	return nil
}

func assignList(v reflect.Value, value any) error {
	list, ok := value.([]any)
	if v.Type().Elem().Kind() == reflect.Int {
		return assignNumbers(v, list, ok)
	}
	texts := make([]string, len(list))
	for i := range list {
		if texts[i], ok = list[i].(string); !ok {
			break
		}
	}
	if !ok {
		return errors.New(`the value must be a list of texts, as in key = ["10.0.0.0/8", "192.168.1.7"]`)
	}
	v.Set(reflect.ValueOf(texts))
	return nil
}

func assignNumbers(v reflect.Value, list []any, ok bool) error {
	numbers := make([]int, len(list))
	for i := range list {
		n, whole := list[i].(int64)
		numbers[i], ok = int(n), ok && whole
	}
	if !ok {
		return errors.New("the value must be a list of whole numbers, as in key = [30, 7, 1]")
	}
	v.Set(reflect.ValueOf(numbers))
	return nil
}

// SyntaxError says what is wrong with a file that is not TOML. Most messages of the
// parser quote the text that it found, which may be a secret, so only its messages about
// keys are passed on: they quote nothing but names.
func SyntaxError(e toml.ParseError) string {
	if strings.HasPrefix(e.Message, "Key ") {
		return e.Message
	}
	where := ""
	if e.LastKey != "" {
		where = ", at or after " + e.LastKey
	}
	return "the file is not TOML" + where + ` (text must be quoted: key = "value")`
}

// Set sets v, which can be set, to the value that the text has, as in the environment. A
// list has commas or spaces between its values. It panics for a type that no setting has.
func Set(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("the value must be true or false")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("the value must be a whole number")
		}
		v.SetInt(n)
	case reflect.Slice:
		return setList(v, strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }))
	default:
		panic(fmt.Sprintf("tomlfile: a setting of type %s cannot be read", v.Type())) // the build is broken
	}
	return nil
}

func setList(v reflect.Value, texts []string) error {
	if v.Type().Elem().Kind() == reflect.String {
		v.Set(reflect.ValueOf(texts))
		return nil
	}
	numbers := make([]int, len(texts))
	for i, t := range texts {
		var err error
		if numbers[i], err = strconv.Atoi(t); err != nil {
			return errors.New("the value must be whole numbers with commas between them")
		}
	}
	v.Set(reflect.ValueOf(numbers))
	return nil
}

// Nearest returns the known name that differs from the given one by the fewest edits,
// without regard to case.
func Nearest(name string, known []string) string {
	fold := strings.ToLower(name)
	return slices.MinFunc(known, func(a, b string) int {
		return hallpass.Distance(fold, strings.ToLower(a)) - hallpass.Distance(fold, strings.ToLower(b))
	})
}
