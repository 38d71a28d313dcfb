package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"portico/db"
)

func (p *program) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(p.env, databaseURL)
			if err != nil {
				return err
			}
			if err := db.Migrate(cmd.Context(), string(c.DatabaseURL)); err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "The schema is up to date.")
			return err
		},
	}
}
