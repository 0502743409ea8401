/* Makes calls on files below a folder wait while a flag file exists: a network share that hangs.
 *
 *     cc -shared -fPIC -O1 -o stalling_files.so stalling_files.c -ldl
 *     STALL_BELOW=/folder STALL_WHILE=/flag LD_PRELOAD=./stalling_files.so program
 *
 * The flag's content says how: empty waits until it is gone, "EIO", "ESTALE" or "ENOSPC" fail at once (ENOSPC: writes
 * only). Linux with glibc; calls by descriptor are told by what /proc/self/fd says, which no share has to answer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { READS, WRITES };

static int concerns(const char *path) {
    const char *below = getenv("STALL_BELOW");
    return below && path && strncmp(path, below, strlen(below)) == 0;
}

static int flag_content(char *content, size_t size) {
    const char *flag = getenv("STALL_WHILE");
    long file = flag ? syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY) : -1;
    if (file < 0) return 0;
    long length = syscall(SYS_read, file, content, size - 1);
    syscall(SYS_close, file);
    content[length > 0 ? length : 0] = 0;
    return 1;
}

/* 0: go on; else the error to fail with. */
static int pass(const char *path, enum kind kind) {
    char content[32];
    if (!concerns(path)) return 0;
    while (flag_content(content, sizeof content)) {
        if (strncmp(content, "ENOSPC", 6) == 0) return kind == WRITES ? ENOSPC : 0;
        if (strncmp(content, "EIO", 3) == 0) return EIO;
        if (strncmp(content, "ESTALE", 6) == 0) return ESTALE;
        usleep(10000);
    }
    return 0;
}

static int pass_descriptor(int file, enum kind kind) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return pass(path, kind);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSE(code)             \
    do {                         \
        int refused = (code);    \
        if (refused) {           \
            errno = refused;     \
            return -1;           \
        }                        \
    } while (0)

#define OPENING(name)                                                                      \
    int name(const char *path, int flags, ...) {                                           \
        va_list rest;                                                                      \
        va_start(rest, flags);                                                             \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;            \
        va_end(rest);                                                                      \
        REFUSE(pass(path, flags & O_CREAT ? WRITES : READS));                              \
        return NEXT(name)(path, flags, mode);                                              \
    }
OPENING(open)
OPENING(open64)

#define BY_DESCRIPTOR(result, name, declared, passed, kind) \
    result name declared {                                  \
        REFUSE(pass_descriptor(file, kind));                \
        return NEXT(name) passed;                           \
    }
BY_DESCRIPTOR(ssize_t, read, (int file, void *to, size_t size), (file, to, size), READS)
BY_DESCRIPTOR(ssize_t, pread, (int file, void *to, size_t size, off_t at), (file, to, size, at), READS)
BY_DESCRIPTOR(ssize_t, pread64, (int file, void *to, size_t size, off64_t at), (file, to, size, at), READS)
BY_DESCRIPTOR(ssize_t, write, (int file, const void *from, size_t size), (file, from, size), WRITES)
BY_DESCRIPTOR(ssize_t, pwrite, (int file, const void *from, size_t size, off_t at), (file, from, size, at), WRITES)
BY_DESCRIPTOR(ssize_t, pwrite64, (int file, const void *from, size_t size, off64_t at), (file, from, size, at), WRITES)
BY_DESCRIPTOR(int, fsync, (int file), (file), WRITES)
BY_DESCRIPTOR(int, fdatasync, (int file), (file), WRITES)
BY_DESCRIPTOR(int, ftruncate64, (int file, off64_t size), (file, size), WRITES)

#define BY_PATH(name, declared, passed, kind) \
    int name declared {                       \
        REFUSE(pass(path, kind));             \
        return NEXT(name) passed;             \
    }
BY_PATH(stat, (const char *path, struct stat *to), (path, to), READS)
BY_PATH(stat64, (const char *path, struct stat64 *to), (path, to), READS)
BY_PATH(lstat, (const char *path, struct stat *to), (path, to), READS)
BY_PATH(lstat64, (const char *path, struct stat64 *to), (path, to), READS)
BY_PATH(access, (const char *path, int mode), (path, mode), READS)
BY_PATH(unlink, (const char *path), (path), READS)

int fstatat(int folder, const char *path, struct stat *to, int flags) {
    REFUSE(pass(path, READS));
    return NEXT(fstatat)(folder, path, to, flags);
}

int fstatat64(int folder, const char *path, struct stat64 *to, int flags) {
    REFUSE(pass(path, READS));
    return NEXT(fstatat64)(folder, path, to, flags);
}

#define LOCKING(name)                                                   \
    int name(int file, int command, ...) {                              \
        va_list rest;                                                   \
        va_start(rest, command);                                        \
        void *argument = va_arg(rest, void *);                          \
        va_end(rest);                                                   \
        if (command == F_SETLK || command == F_SETLKW || command == F_GETLK) REFUSE(pass_descriptor(file, READS)); \
        return NEXT(name)(file, command, argument);                     \
    }
LOCKING(fcntl)
LOCKING(fcntl64)
