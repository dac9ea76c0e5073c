package cli

import (
	"context"

	"regulars/internal/postgres"
)

// createDatabase makes a database on the server of admin. Its name is made by this program.
func createDatabase(ctx context.Context, admin, name string) error {
	return administer(ctx, admin, func(db *postgres.DB) error {
		_, err := db.Exec(ctx, `create database "`+name+`" template template0 encoding 'UTF8' locale 'C'`)
		return err
	})
}

// dropDatabases drops those databases that are there, whoever is connected to them.
func dropDatabases(ctx context.Context, admin string, names ...string) error {
	return administer(ctx, admin, func(db *postgres.DB) error {
		for _, name := range names {
			if _, err := db.Exec(ctx, `drop database if exists "`+name+`" with (force)`); err != nil {
				return err
			}
		}
		return nil
	})
}

// dataDirectory is where the server of admin has its cluster.
func dataDirectory(ctx context.Context, admin string) (folder string, err error) {
	err = administer(ctx, admin, func(db *postgres.DB) error { return db.Get(ctx, &folder, `show data_directory`) })
	return folder, err
}

func administer(ctx context.Context, admin string, work func(*postgres.DB) error) error {
	db, err := postgres.Open(ctx, admin, postgres.Options{MaxConnections: 1})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return work(db)
}
