//go:build !linux

package private

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// endWithParent does nothing here: the next start stops what a killed process left.
func endWithParent(*syscall.SysProcAttr) {}

// runsOn says whether a process is a postgres on the data folder.
func runsOn(pid int, data string) bool {
	line, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(line), "postgres -D "+data+" ")
}
