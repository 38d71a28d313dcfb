// Package migrations holds the schema's steps, embedded; package db runs them.
package migrations

import "embed"

// FS holds the goose migrations NNNN_what_it_does.sql. An applied file is never edited.
//
//go:embed *.sql
var FS embed.FS
