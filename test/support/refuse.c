/*
 * Makes calls to the system fail, for tests: LD_PRELOAD it and name a file in REFUSE_FILE. Built by tcc without the C library, whose versions of
 * symbols tcc would take over.
 *
 * The file is an array of `struct row`, one for each call of `enum call`, in the machine's own byte order; it is mapped, so what another process
 * writes there counts from the next call on. test/support/refusals.ts has the same layout.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { FORK, THREAD, SOCKET, CONNECT, SEND, GETIFADDRS, OPEN_KERNEL, OPEN_FILE, PIPE, WRITE_STDOUT, WRITE_SOCKET, CALLS };

struct row {
  int32_t error;        /* errno to fail with; 0: not at all */
  int32_t every;        /* each n-th call fails; 1: all */
  int32_t left;   /* so many more failures; negative: without end */
  int32_t seen;   /* calls while it is switched on */
  int32_t failed;
};

static struct row *rows;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* At the first call, since tcc knows no constructors. */
static void begin(void) {
  const char *path = getenv("REFUSE_FILE");
  if (path == NULL) return;
  FILE *file = fopen(path, "r+e");
  if (file == NULL) return;
  void *mapped = mmap(NULL, sizeof(struct row) * CALLS, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  fclose(file);
  if (mapped != MAP_FAILED) rows = mapped;
  /* This process alone: what it starts is another program. */
  unsetenv("LD_PRELOAD");
}

/* The errno to fail with, or 0. */
static int refused(enum call call) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
  pthread_once(&once, begin);
  if (rows == NULL || rows[call].error == 0) return 0;
  struct row *row = &rows[call];
  pthread_mutex_lock(&counting);
  int error = row->error;
  row->seen += 1;
  if (row->left == 0 || row->seen % row->every != 0) error = 0;
  if (error != 0) {
    row->failed += 1;
    if (row->left > 0) row->left -= 1;
  }
  pthread_mutex_unlock(&counting);
  if (error != 0) errno = error;
  return error;
}

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
/* The mode of a file that is not made is never looked at. Declared here: fcntl.h has a list of arguments, for which tcc needs its library. */
int open(const char *path, int flags, mode_t mode) { return refused_path(path) ? -1 : REAL(open)(path, flags, mode); }
int open64(const char *path, int flags, mode_t mode) {
  return refused_path(path) ? -1 : REAL(open64)(path, flags, mode);
}

int pipe2(int fds[2], int flags) { return refused(PIPE) ? -1 : REAL(pipe2)(fds, flags); }
int socketpair(int domain, int type, int protocol, int fds[2]) {
  return refused(PIPE) ? -1 : REAL(socketpair)(domain, type, protocol, fds);
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
