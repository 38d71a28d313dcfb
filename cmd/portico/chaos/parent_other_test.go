//go:build !linux

package chaos

import "syscall"

// endWithParent keeps the process out of the terminal's signals; a test that is
// killed leaves it behind.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
