package api

import (
	"reflect"
	"strings"
)

// link puts the path below which clients reach the server before each address in an
// answer, as Grafana does. out points to the answer. An address is a path in a field whose
// name ends with URL or URI; what users store, as a dashboard, is not looked into.
func (a *API) link(out any) {
	if a.base != "" {
		a.linkIn(reflect.ValueOf(out).Elem())
	}
}

func (a *API) linkIn(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			a.linkIn(v.Elem())
		}
	case reflect.Slice:
		if elem := v.Type().Elem().Kind(); elem == reflect.Struct || elem == reflect.Pointer {
			for i := range v.Len() {
				a.linkIn(v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			switch address := strings.HasSuffix(name, "URL") || strings.HasSuffix(name, "URI"); {
			case !f.CanSet():
			case address && f.Kind() == reflect.String:
				f.SetString(a.base.Link(f.String()))
			default:
				a.linkIn(f)
			}
		}
	}
}
