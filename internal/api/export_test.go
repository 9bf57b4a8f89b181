package api

// Patterns lists the patterns of every route, in order.
func Patterns() []string {
	var list []string
	for _, r := range New(Options{}).routes() {
		list = append(list, r.pattern)
	}
	return list
}
