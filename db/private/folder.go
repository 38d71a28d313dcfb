package private

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// prefix starts the name of each folder that lives only as long as its process.
const prefix = "portico-pg-"

// folder is a folder that is held by one process at a time: the lock is the
// kernel's, so it ends with the process however that ends.
type folder struct {
	path  string
	file  *os.File // the folder itself, open and locked
	owner *syscall.Stat_t
	// user is whom the folder belongs to and PostgreSQL runs as, which refuses
	// to run as root; nil: this process's own user.
	user *syscall.Credential
}

var errHeld = errors.New("folder is in use by another process")

// openKept returns the folder of a kept cluster. A root's data folder may be
// closed to everyone else (a clone in /root): then the cluster is in a folder
// under spare, and a link to it stands in the data folder.
func openKept(dir, spare string) (*folder, error) {
	if dir == "" {
		return nil, errors.New("no data folder is named")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "postgres")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(path) // a link whose folder is gone
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, err
		}
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f, err := hold(path)
	if errors.Is(err, errUnreachable) && os.Remove(path) == nil { // Remove takes an empty folder only
		f, err = linkToSpare(filepath.Join(dir, "postgres"), spare)
	}
	if errors.Is(err, errHeld) {
		return nil, fmt.Errorf("another Portico is running on %s: stop it, or choose another data folder", dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: the database there is another user's; run Portico as that user or root, or choose another data folder", err)
	}
	return f, err
}

func linkToSpare(link, spare string) (*folder, error) {
	if err := os.MkdirAll(spare, 0o711); err != nil {
		return nil, err
	}
	if err := os.Chmod(spare, 0o711); err != nil { // whatever the umask
		return nil, err
	}
	path, err := os.MkdirTemp(spare, "postgres-")
	if err != nil {
		return nil, err
	}
	f, err := hold(path)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	if err := os.Symlink(path, link); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

// newThrowaway makes a folder that sweep removes once nobody holds it.
func newThrowaway(parent string) (*folder, error) {
	for {
		path, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			return nil, err
		}
		f, err := lock(path)
		if errors.Is(err, errHeld) || errors.Is(err, fs.ErrNotExist) {
			continue // a sweep came between the two lines above
		}
		if err != nil {
			return nil, errors.Join(err, os.Remove(path))
		}
		if err := f.secure(); err != nil {
			return nil, errors.Join(err, f.remove())
		}
		return f, nil
	}
}

// hold locks a folder and makes it private to the user that PostgreSQL runs as.
func hold(path string) (*folder, error) {
	f, err := lock(path)
	if err != nil {
		return nil, err
	}
	if err := f.secure(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// lock locks a folder. It does not follow a link, nor mistake one folder for
// another of the same name: root uses it where others can write.
func lock(path string) (*folder, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path, file: file}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errHeld
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.close())
	}
	held, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	named, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	if !os.SameFile(held, named) {
		return nil, errors.Join(errHeld, f.close())
	}
	f.owner = held.Sys().(*syscall.Stat_t)
	return f, nil
}

func (f *folder) secure() error {
	user, err := runUser(f.owner)
	if err != nil {
		return err
	}
	f.user = user
	if user != nil {
		if err := f.file.Chown(int(user.Uid), int(user.Gid)); err != nil {
			return err
		}
	}
	if err := f.file.Chmod(0o700); err != nil {
		return err
	}
	return f.reachable()
}

// runUser returns whom PostgreSQL runs as on a folder. Root leaves a folder to
// the unprivileged user that it already belongs to.
func runUser(owner *syscall.Stat_t) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if owner.Uid != 0 {
		return &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody that it could run as: run Portico as an ordinary user")
}

var errUnreachable = errors.New("the user that PostgreSQL runs as cannot reach its folder")

// reachable tries it rather than reading the modes of all the folders above.
func (f *folder) reachable() error {
	if f.user == nil {
		return nil
	}
	if err := f.command("true").Run(); errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: %s, user id %d", errUnreachable, f.path, f.user.Uid)
	} else if err != nil {
		return fmt.Errorf("run a program as user id %d: %w", f.user.Uid, err)
	}
	return nil
}

// command prepares a program that runs in the folder as its user, in a process
// group of its own (a Ctrl-C in the terminal is for Portico, which then stops
// it), and without this process's environment, which holds secrets.
func (f *folder) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = f.path
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: f.user, Setpgid: true}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.path, "LC_ALL=C"}
	return cmd
}

// create makes a file of the folder anew, whatever its user has put there.
func (f *folder) create(name string) (*os.File, error) {
	path := filepath.Join(f.path, name)
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil || f.user == nil {
		return file, err
	}
	if err := file.Chown(int(f.user.Uid), int(f.user.Gid)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// close unlocks the folder. Closing the file alone would leave it locked while
// a child that is just being started has not closed its copy yet.
func (f *folder) close() error {
	return errors.Join(syscall.Flock(int(f.file.Fd()), syscall.LOCK_UN), f.file.Close())
}

func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.close())
}

// throwawayParents returns where a throwaway cluster may be, the best first.
func throwawayParents() []string {
	const memory, roomy = "/dev/shm", 1 << 30
	parents := []string{os.TempDir()}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(memory, &stat); err == nil && uint64(stat.Bavail)*uint64(stat.Bsize) >= roomy {
		parents = slices.Insert(parents, 0, memory)
	}
	return parents
}

// sweep removes what processes that were killed have left in parent.
func sweep(parent string, log *slog.Logger) {
	paths, err := filepath.Glob(filepath.Join(parent, prefix+"*"))
	if err != nil {
		log.Warn("looking for remnants of earlier runs", "folder", parent, "error", err)
	}
	for _, path := range paths {
		// Others' folders and links in a shared folder are not ours to follow.
		if info, err := os.Lstat(path); err != nil || !info.IsDir() {
			continue
		}
		f, err := lock(path)
		if err != nil {
			continue // in use, or closed to us
		}
		if !sweepable(f.owner) {
			_ = f.close()
			continue
		}
		err = errors.Join(stopOrphan(filepath.Join(path, "data"), syscall.SIGQUIT, log), f.remove())
		if err != nil {
			log.Warn("removing what an earlier run left", "folder", path, "error", err)
		}
	}
}

func sweepable(owner *syscall.Stat_t) bool {
	if int(owner.Uid) == os.Geteuid() {
		return true
	}
	user, err := runUser(&syscall.Stat_t{}) // of a folder of root's
	return err == nil && user != nil && user.Uid == owner.Uid
}
