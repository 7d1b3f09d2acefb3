// Preloaded into a process, this remembers what a power loss would leave of its files: on every fsync of a file
// below $UNSYNCED_FILES its content is copied to the folder $UNSYNCED_COPIES. After a kill -9 the test puts the
// copies in the place of the files, and everything that was written but never synced is gone.
// While $UNSYNCED_COPIES/lie exists, fsync answers success and remembers nothing: the disk that lies.
// A copy appears under its name in one step, and an unlink takes it away: directory changes count as durable.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

// Where the copy of the file goes, or 0 when the file is none of ours.
static int copy_path(const char* file, char* copy, size_t size) {
  const char* files = getenv("UNSYNCED_FILES");
  const char* copies = getenv("UNSYNCED_COPIES");
  if (!files || !copies || strncmp(file, files, strlen(files)) != 0) return 0;
  const char* name = strrchr(file, '/');
  return name && snprintf(copy, size, "%s%s", copies, name) < (int)size;
}

static int lying(void) {
  char path[PATH_MAX];
  const char* copies = getenv("UNSYNCED_COPIES");
  return copies && snprintf(path, sizeof path, "%s/lie", copies) < (int)sizeof path && access(path, F_OK) == 0;
}

static int copy_content(int from, const char* to) {
  char scratch[PATH_MAX + 8];
  char buffer[1 << 16];
  snprintf(scratch, sizeof scratch, "%s.part", to);
  const int out = open(scratch, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out < 0) return -1;
  off_t at = 0;
  ssize_t got;
  while ((got = pread(from, buffer, sizeof buffer, at)) > 0) {
    if (write(out, buffer, (size_t)got) != got) {
      got = -1;
      break;
    }
    at += got;
  }
  close(out);
  return got < 0 ? -1 : rename(scratch, to);
}

static int synced(int fd, const char* symbol) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, symbol);
  char link[64], file[PATH_MAX], copy[PATH_MAX];
  struct stat status;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, file, sizeof file - 1);
  if (length <= 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return real(fd);
  file[length] = '\0';
  if (!copy_path(file, copy, sizeof copy)) return real(fd);
  if (lying()) return 0;
  const int result = real(fd);
  if (result != 0) return result;
  pthread_mutex_lock(&copying);
  const int copied = copy_content(fd, copy);
  pthread_mutex_unlock(&copying);
  return copied;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

int unlink(const char* path) {
  int (*real)(const char*) = (int (*)(const char*))dlsym(RTLD_NEXT, "unlink");
  char copy[PATH_MAX];
  const int result = real(path);
  if (result == 0 && copy_path(path, copy, sizeof copy) && !lying()) real(copy);
  return result;
}
