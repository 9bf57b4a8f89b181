package notice

// ChatText returns a text as it stands in a message to a chat.
func ChatText(text string) string { return chatText(text) }
