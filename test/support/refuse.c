/*
 * Makes calls to the system fail, for tests: LD_PRELOAD this library and name a file in REFUSE_FILE.
 *
 * The file is an array of `struct row`, one for each call of `enum call`, in the machine's own byte order; it is mapped, so what another process
 * writes there counts from the next call on. test/support/refusals.ts has the same layout.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { FORK, THREAD, SOCKET, CONNECT, SEND, GETIFADDRS, OPEN_KERNEL, OPEN_FILE, PIPE, EPOLL, WRITE_STDOUT, WRITE_SOCKET, CALLS };

struct row {
  int32_t error;        /* errno to fail with; 0: not at all */
  int32_t every;        /* each n-th call fails; 1: all */
  _Atomic int32_t left; /* so many more failures; negative: without end */
  _Atomic int32_t seen; /* calls while it is switched on */
  _Atomic int32_t failed;
};

static struct row *rows;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("REFUSE_FILE");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct row) * CALLS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) rows = mapped;
  /* This process alone: what it starts is another program. */
  unsetenv("LD_PRELOAD");
}

/* The errno to fail with, or 0. */
static int refused(enum call call) {
  if (rows == NULL) return 0;
  struct row *row = &rows[call];
  int error = row->error;
  if (error == 0) return 0;
  int nth = atomic_fetch_add(&row->seen, 1) + 1;
  if (row->every > 1 && nth % row->every != 0) return 0;
  int left = atomic_load(&row->left);
  do {
    if (left == 0) return 0;
  } while (left > 0 && !atomic_compare_exchange_weak(&row->left, &left, left - 1));
  atomic_fetch_add(&row->failed, 1);
  errno = error;
  return error;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

pid_t fork(void) { return refused(FORK) ? -1 : REAL(fork)(); }
pid_t vfork(void) { return fork(); }

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg) {
  int error = refused(THREAD);
  return error ? error : REAL(pthread_create)(thread, attr, start, arg);
}

int socket(int domain, int type, int protocol) {
  int inet = domain == AF_INET || domain == AF_INET6;
  return inet && refused(SOCKET) ? -1 : REAL(socket)(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  int inet = address->sa_family == AF_INET || address->sa_family == AF_INET6;
  return inet && refused(CONNECT) ? -1 : REAL(connect)(fd, address, length);
}

/* Datagrams, and on Linux libuv sends them by each of these. */
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
  return refused(SEND) ? -1 : REAL(sendto)(fd, data, size, flags, to, length);
}
ssize_t send(int fd, const void *data, size_t size, int flags) {
  return refused(SEND) ? -1 : REAL(send)(fd, data, size, flags);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  return refused(SEND) ? -1 : REAL(sendmsg)(fd, message, flags);
}
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  return refused(SEND) ? -1 : REAL(sendmmsg)(fd, messages, count, flags);
}

int getifaddrs(struct ifaddrs **list) { return refused(GETIFADDRS) ? -1 : REAL(getifaddrs)(list); }

static int refused_path(const char *path) {
  int kernel = strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
  return refused(kernel ? OPEN_KERNEL : OPEN_FILE);
}
static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return refused_path(path) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return refused_path(path) ? -1 : REAL(open64)(path, flags, mode);
}

int pipe2(int fds[2], int flags) { return refused(PIPE) ? -1 : REAL(pipe2)(fds, flags); }
int socketpair(int domain, int type, int protocol, int fds[2]) {
  return refused(PIPE) ? -1 : REAL(socketpair)(domain, type, protocol, fds);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  return operation == EPOLL_CTL_ADD && refused(EPOLL) ? -1 : REAL(epoll_ctl)(epoll, operation, fd, event);
}

static int is_socket(int fd) {
  struct stat status;
  return fd > 2 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}
static int refused_write(int fd) {
  if (fd == 1) return refused(WRITE_STDOUT);
  return rows != NULL && rows[WRITE_SOCKET].error != 0 && is_socket(fd) ? refused(WRITE_SOCKET) : 0;
}
ssize_t write(int fd, const void *data, size_t size) {
  return refused_write(fd) ? -1 : REAL(write)(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return refused_write(fd) ? -1 : REAL(writev)(fd, parts, count);
}
