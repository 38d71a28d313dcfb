package doortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/natefinch/atomic"
)

// Load reads a fake's state from a JSON file. Without the file, or with an empty
// path, it stays as it is.
func Load(path string, state any) error {
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the simulator's state: %w", err)
	}
	if err := json.Unmarshal(raw, state); err != nil {
		return fmt.Errorf("read the simulator's state in %s: %w", path, err)
	}
	return nil
}

// Save writes a fake's state for Load. A fake that cannot write its file goes on
// working until it is stopped.
func Save(path string, state any, log *slog.Logger) {
	if path == "" {
		return
	}
	raw, err := json.MarshalIndent(state, "", "\t")
	if err == nil {
		err = atomic.WriteFile(path, bytes.NewReader(raw))
	}
	if err != nil {
		log.Error("save the simulator's state", "path", path, "error", err)
	}
}
