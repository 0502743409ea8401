/* Counts the calls that change files below a folder, makes the Nth fail or end the program, or records all of them.
 *
 *     cc -shared -fPIC -O1 -o watching_files.so watching_files.c -ldl
 *     LD_PRELOAD=./watching_files.so python ...    (ctypes.CDLL(None).watch_files(...))
 *
 * Linux with glibc. What counts: files made, written, cut to a length, flushed, renamed, linked, removed; folders made,
 * removed, flushed. The state is shared with children of a fork, so that a parent reads what became of a killed child.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { COUNT, IO_ERROR, IO_ERRORS, FULL_DISK, KILL, KILL_HALFWAY };

struct state {
    long counted;   /* calls so far */
    long at;        /* which one is hit, from 1 */
    int mode;
    int log;        /* descriptor that gets a record of each call; -1: none */
    int is_on;
    long hit;       /* how many calls were hit */
    char name[24];  /* the first of them */
    char below[PATH_MAX];
};

static struct state *state;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void prepare(void) {
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    state->log = -1;
}

void watch_files(const char *below, int mode, long at, int log) {
    memset(state, 0, sizeof *state);
    snprintf(state->below, sizeof state->below, "%s", below);
    state->mode = mode, state->at = at, state->log = log, state->is_on = 1;
}

void stop_watching(void) { state->is_on = 0; }
long calls_counted(void) { return state->counted; }
long calls_hit(void) { return state->hit; }
const char *name_hit(void) { return state->name; }

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int concerns(const char *path) {
    size_t length = strlen(state->below);
    return strncmp(path, state->below, length) == 0 && (path[length] == '/' || !path[length]);
}

/* The absolute name of `path`, which need not exist; 0 where it is none of ours. */
static int placed(int folder, const char *path, char *to) {
    if (!state->is_on || !path) return 0;
    if (path[0] == '/' || folder == AT_FDCWD) {
        if (path[0] == '/') snprintf(to, PATH_MAX, "%s", path);
        else if (!getcwd(to, PATH_MAX) || strlen(to) + strlen(path) + 2 > PATH_MAX) return 0;
        else strcat(strcat(to, "/"), path);
        return concerns(to);
    }
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, to, PATH_MAX - 1);
    if (length <= 0 || length + strlen(path) + 2 > PATH_MAX) return 0;
    to[length] = 0;
    strcat(strcat(to, "/"), path);
    return concerns(to);
}

static int described(int file, char *to) {
    char link[64];
    if (!state->is_on || file == state->log) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, to, PATH_MAX - 1);
    if (length <= 0) return 0;
    to[length] = 0;
    return concerns(to);
}

enum fate { GOES_ON, FAILS, IS_HALVED };

/* What becomes of this call; under the guard. FAILS: errno is set. */
static enum fate met(const char *name, int takes_room) {
    long number = ++state->counted;
    int is_here = number == state->at, is_after = state->at && number >= state->at;
    int is_hit = state->mode == IO_ERRORS ? is_after : state->mode == FULL_DISK ? is_after && takes_room : is_here;
    if (state->mode == COUNT || !is_hit) return GOES_ON;
    if (!state->hit++) snprintf(state->name, sizeof state->name, "%s", name);
    if (state->mode == KILL) raise(SIGKILL);
    if (state->mode == KILL_HALFWAY) return IS_HALVED;
    if (state->mode == FULL_DISK && state->hit == 1) return IS_HALVED;
    errno = state->mode == FULL_DISK ? ENOSPC : EIO;
    return FAILS;
}

static void end_if_killed(void) {
    if (state->mode == KILL_HALFWAY) raise(SIGKILL);
}

/* One record: kind, lengths, numbers, two names, data. */
static void record(char kind, const char *name, const char *other, uint64_t file, uint64_t at, const void *data, uint64_t size) {
    if (state->log < 0) return;
    struct { uint64_t file, at, size; uint32_t name, other; char kind, rest[7]; } head = {
        file, at, size, name ? strlen(name) : 0, other ? strlen(other) : 0, kind, {0}};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)other, head.other},
                            {(void *)data, data ? size : 0}};
    if (NEXT(writev)(state->log, parts, 4) < 0) abort();
}

/* A word of the program's own between the records. */
void note(const char *word) {
    pthread_mutex_lock(&guard);
    record('!', word, NULL, 0, 0, NULL, 0);
    pthread_mutex_unlock(&guard);
}

static uint64_t number_of(int file) {
    struct stat found;
    return fstat(file, &found) ? 0 : found.st_ino;
}

static int opened(const char *name, int folder, const char *path, int flags, mode_t mode, int where_from) {
    char place[PATH_MAX];
    int is_ours = flags & (O_CREAT | O_TRUNC) && !(flags & O_TMPFILE & ~O_DIRECTORY) && placed(folder, path, place);
    if (!is_ours) return syscall(SYS_openat, folder, path, flags | where_from, mode);
    pthread_mutex_lock(&guard);
    struct stat found;
    int is_new = fstatat(AT_FDCWD, place, &found, AT_SYMLINK_NOFOLLOW) != 0, file = -1;
    enum fate fate = is_new || flags & O_TRUNC ? met(is_new ? "open(O_CREAT)" : "open(O_TRUNC)", is_new) : GOES_ON;
    (void)name;
    if (fate != FAILS) file = syscall(SYS_openat, folder, path, flags | where_from, mode);
    if (fate == IS_HALVED) {
        end_if_killed();
        if (file >= 0) close(file), file = -1, errno = ENOSPC;  /* a name without room for what it names */
    }
    if (file >= 0 && is_new) record('c', place, NULL, number_of(file), 0, NULL, 0);
    else if (file >= 0 && flags & O_TRUNC) record('t', place, NULL, number_of(file), 0, NULL, 0);
    int error = errno;
    pthread_mutex_unlock(&guard);
    errno = error;
    return file;
}

#define MODE_OF(flags)                                                    \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

int open(const char *path, int flags, ...) { MODE_OF(flags); return opened("open", AT_FDCWD, path, flags, mode, 0); }
int open64(const char *path, int flags, ...) { MODE_OF(flags); return opened("open", AT_FDCWD, path, flags, mode, O_LARGEFILE); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags); return opened("open", folder, path, flags, mode, 0); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags); return opened("open", folder, path, flags, mode, O_LARGEFILE); }

/* Written by descriptor: `doing` does it for `length` bytes, `at` says where they go. */
#define WRITTEN(result, name, declared, at, doing)                                    \
    result name declared {                                                            \
        char place[PATH_MAX];                                                         \
        if (!described(file, place)) { size_t length = size; return doing; }          \
        pthread_mutex_lock(&guard);                                                   \
        enum fate fate = met(#name, 1);                                               \
        size_t length = fate == IS_HALVED ? size / 2 : size;                          \
        uint64_t where = at;                                                          \
        ssize_t done = fate == FAILS ? -1 : doing;                                    \
        if (fate == IS_HALVED) end_if_killed();                                       \
        if (fate == IS_HALVED && !length) done = -1, errno = ENOSPC;                  \
        if (done > 0) record('w', place, NULL, number_of(file), where, from, done);   \
        int error = errno;                                                            \
        pthread_mutex_unlock(&guard);                                                 \
        errno = error;                                                                \
        return done;                                                                  \
    }

static uint64_t here(int file) {
    if (fcntl(file, F_GETFL) & O_APPEND) return lseek(file, 0, SEEK_END);
    return lseek(file, 0, SEEK_CUR);
}

WRITTEN(ssize_t, write, (int file, const void *from, size_t size), here(file), NEXT(write)(file, from, length))
WRITTEN(ssize_t, pwrite, (int file, const void *from, size_t size, off_t to), to, NEXT(pwrite)(file, from, length, to))
WRITTEN(ssize_t, pwrite64, (int file, const void *from, size_t size, off64_t to), to, NEXT(pwrite64)(file, from, length, to))

/* Not recorded but refused, so that their callers write in the plain way. */
ssize_t sendfile64(int file, int from, off64_t *at, size_t size) {
    char place[PATH_MAX];
    if (described(file, place)) return errno = EINVAL, -1;
    return NEXT(sendfile64)(file, from, at, size);
}

ssize_t copy_file_range(int from, off64_t *at, int file, off64_t *to, size_t size, unsigned flags) {
    char place[PATH_MAX];
    if (described(file, place)) return errno = EINVAL, -1;
    return NEXT(copy_file_range)(from, at, file, to, size, flags);
}

/* The rest: done, or failed, or, halved, done and then ended (a full disk: failed). */
#define CHANGED(name, declared, passed, is_ours, takes_room, kind, first, second, file, at)  \
    int name declared {                                                                      \
        char place[PATH_MAX], other[PATH_MAX];                                               \
        (void)other;                                                                         \
        if (!(is_ours)) return NEXT(name) passed;                                            \
        pthread_mutex_lock(&guard);                                                          \
        uint64_t number = file;                                                              \
        enum fate fate = met(#name, takes_room);                                             \
        int done = -1;                                                                       \
        if (fate == IS_HALVED && state->mode == FULL_DISK) errno = ENOSPC;                   \
        else if (fate != FAILS) done = NEXT(name) passed;                                    \
        if (fate == IS_HALVED) end_if_killed();                                              \
        if (!done) record(kind, first, second, number, at, NULL, 0);                         \
        int error = errno;                                                                   \
        pthread_mutex_unlock(&guard);                                                        \
        errno = error;                                                                       \
        return done;                                                                         \
    }

#define BY_HANDLE described(handle, place)
#define BY_NAME placed(AT_FDCWD, path, place)
#define BY_NAMES (placed(AT_FDCWD, from, place) | placed(AT_FDCWD, to, other))
CHANGED(fsync, (int handle), (handle), BY_HANDLE, 1, 's', place, NULL, number_of(handle), 0)
CHANGED(fdatasync, (int handle), (handle), BY_HANDLE, 1, 's', place, NULL, number_of(handle), 0)
CHANGED(ftruncate, (int handle, off_t size), (handle, size), BY_HANDLE, 0, 't', place, NULL, number_of(handle), size)
CHANGED(ftruncate64, (int handle, off64_t size), (handle, size), BY_HANDLE, 0, 't', place, NULL, number_of(handle), size)
CHANGED(unlink, (const char *path), (path), BY_NAME, 0, 'u', place, NULL, 0, 0)
CHANGED(rmdir, (const char *path), (path), BY_NAME, 0, 'd', place, NULL, 0, 0)
CHANGED(mkdir, (const char *path, mode_t mode), (path, mode), BY_NAME, 1, 'm', place, NULL, 0, 0)
CHANGED(rename, (const char *from, const char *to), (from, to), BY_NAMES, 1, 'r', place, other, 0, 0)
CHANGED(link, (const char *from, const char *to), (from, to), BY_NAMES, 1, 'l', place, other, 0, 0)
CHANGED(unlinkat, (int handle, const char *path, int flags), (handle, path, flags), placed(handle, path, place), 0,
        (flags & AT_REMOVEDIR ? 'd' : 'u'), place, NULL, 0, 0)
CHANGED(renameat, (int handle, const char *from, int into, const char *to), (handle, from, into, to),
        (placed(handle, from, place) | placed(into, to, other)), 1, 'r', place, other, 0, 0)
CHANGED(linkat, (int handle, const char *from, int into, const char *to, int flags), (handle, from, into, to, flags),
        (placed(handle, from, place) | placed(into, to, other)), 1, 'l', place, other, 0, 0)
CHANGED(mkdirat, (int handle, const char *path, mode_t mode), (handle, path, mode), placed(handle, path, place), 1, 'm',
        place, NULL, 0, 0)
