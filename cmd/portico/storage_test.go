package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolderAsStorage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	folder := filepath.Join(t.TempDir(), "new folder", "blobs")
	bucket, err := openBucket(ctx, "file://"+strings.ReplaceAll(filepath.ToSlash(folder), " ", "%20"))
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.WriteAll(ctx, "a/b", []byte("content"), nil); err != nil {
		t.Fatal(err)
	}
	if err := bucket.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[entry.Name()] = string(content)
		return err
	})
	if err != nil || len(files) != 1 || files["b"] != "content" {
		t.Errorf("stored %q, %v; want one file and nothing beside it", files, err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v; want one that nobody else can read", info, err)
	}
}

func TestMemoryAsStorage(t *testing.T) {
	t.Parallel()
	bucket, err := openBucket(context.Background(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Close(); err != nil {
		t.Fatal(err)
	}
}
