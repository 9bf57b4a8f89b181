package api

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// exportChain writes the chain of the audit, oldest links first: its AuditChain, and an
// AuditLink each.
func (a *API) exportChain(l *streamWriter, c call, f hallpass.AuditFilter) error {
	if query(c, "limit") != "" || query(c, "cursor") != "" {
		return hallpass.Invalidf("format", "with format=chain there is no limit and no cursor: the chain is whole or is nothing")
	}
	reader, seal, err := a.admin.AuditChain(c.Context(), c.caller, f)
	if err != nil {
		return err
	}
	l.Header().Set("Content-Disposition", `attachment; filename="audit-chain.ndjson"`)
	head := jsonLine(auditChain(reader.Chain()))
	return a.send(l, c, ndjson, func() (part []byte, more bool, err error) {
		links, err := reader.Next(c.Context())
		part, head = head, nil
		for _, link := range links {
			part = append(part, jsonLine(auditLink(seal(link)))...)
		}
		return part, len(links) > 0, err
	})
}

func auditChain(c hallpass.AuditChain) wire.AuditChain {
	return wire.AuditChain{Chain: wire.AuditChainForm, Begin: auditMark(c.Begin), End: auditMark(c.End), Pruning: c.Pruning, Broken: c.Broken}
}

func auditMark(m hallpass.AuditMark) wire.AuditMark {
	return wire.AuditMark{ID: int64(m.ID), Digest: hallpass.DigestText(m.Digest)}
}

func auditLink(l hallpass.AuditLink) wire.AuditLink {
	out := wire.AuditLink{Link: string(l.Kind), ID: int64(l.ID), Mistyped: l.Mistyped}
	if l.Digest != [32]byte{} {
		out.Digest = hallpass.DigestText(l.Digest)
	}
	switch l.Kind {
	case hallpass.EntryLink:
		e := auditEntry(l.Entry)
		out.Entry, out.Counted = &e, l.Counted
	case hallpass.RepeatLink:
		out.Of, out.Count = int64(l.Of), l.Count
	default:
		out.Content = hallpass.DigestText(l.Gone)
	}
	return out
}
