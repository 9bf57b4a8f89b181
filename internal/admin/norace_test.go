//go:build !race

package admin_test

// How many coalitions there are, and how much each tries.
const coalitions, moves = 4, 160
