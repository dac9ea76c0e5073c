package embedded

import (
	"context"
	"io"
)

// Unpack is unpack.
func Unpack(archive io.Reader, folder string) error { return unpack(archive, folder) }

// PackageOf returns what npm calls the package for a platform and a version.
func PackageOf(platform, major string) (string, error) {
	found, err := packageOf(platform, major)
	return found.name + "@" + found.version, err
}

// Fetch returns the folder of the programs of the package for a platform, which
// it keeps in cache.
func Fetch(ctx context.Context, platform, major, cache string) (string, error) {
	wanted, err := packageOf(platform, major)
	if err != nil {
		return "", err
	}
	found, err := wanted.in(ctx, cache)
	return found.Folder, err
}
