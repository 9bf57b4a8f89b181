//go:build !unix

package plainfile

// nonblock is nothing where no name in a folder is a pipe.
const nonblock = 0
