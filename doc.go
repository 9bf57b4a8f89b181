// Package hallpass is the domain of Hallpass: organisations, users, service
// accounts, tokens, roles and permissions, and the rules that hold between
// them. It imports the standard library alone, does no I/O and reads no clock;
// every rule that needs the time takes it as an argument.
package hallpass
