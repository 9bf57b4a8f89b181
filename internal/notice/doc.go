// Package notice sends the notices of the outbox: to webhooks, by mail, and to chats.
//
// A notice is told at least once. What was sent and not yet marked when the process
// died is sent again, under the same ID. A channel is told its notices one after the
// other, so that one that is slow holds up none but itself.
package notice
