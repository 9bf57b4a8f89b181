package httpd

import (
	"context"
	"log/slog"

	"github.com/hallpass-dev/hallpass"
)

// RedactLog returns a logger that removes secrets from everything that it logs
// (SEC-1): an error may repeat what a client wrote, and a client may write a token
// anywhere. For a nil logger it returns one that logs nothing.
func RedactLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(redacted{log.Handler()})
}

// redacted passes records on without their secrets. A record without secrets is
// passed on unchanged.
type redacted struct{ slog.Handler }

// Handle is for slog.
func (h redacted) Handle(ctx context.Context, r slog.Record) error {
	message := hallpass.Redact(r.Message)
	cut := message != r.Message
	r.Attrs(func(a slog.Attr) bool {
		_, secret := redactAttr(a)
		cut = cut || secret
		return !cut
	})
	if !cut {
		return h.Handler.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = redactAttr(a)
		out.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, out)
}

// WithAttrs is for slog.
func (h redacted) WithAttrs(attrs []slog.Attr) slog.Handler {
	list := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		a, _ = redactAttr(a)
		list = append(list, a)
	}
	return redacted{h.Handler.WithAttrs(list)}
}

// WithGroup is for slog.
func (h redacted) WithGroup(name string) slog.Handler { return redacted{h.Handler.WithGroup(name)} }

// redactAttr returns the attribute without secrets, and whether there was one.
func redactAttr(a slog.Attr) (_ slog.Attr, cut bool) {
	v := a.Value.Resolve()
	text := ""
	switch v.Kind() {
	case slog.KindString:
		text = v.String()
	case slog.KindGroup:
		var list []slog.Attr
		for _, in := range v.Group() {
			in, secret := redactAttr(in)
			cut = cut || secret
			list = append(list, in)
		}
		a.Value = slog.GroupValue(list...)
		return a, cut
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			text = err.Error()
		}
	}
	if s := hallpass.Redact(text); s != text {
		a.Value = slog.StringValue(s)
		return a, true
	}
	return a, false
}
