/* The perfect broker for this machine, as a yardstick: what no broker can do with less. It receives
 * Produce frames (version 9), checks each batch's CRC-32C, appends the records to a file a partition,
 * and answers from a template. Fetch (version 12) is answered from these files by sendfile, for batches
 * that are all alike. No topics, no validation, no waiting: only what every broker must do.
 *
 *   cc -O2 -msse4.2 -o floor floor.c && ./floor PORT DIR
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, RECEIVE = 256 << 10, MAX_FD = 4096, MAX_PARTITION = 4096 };

struct connection {
  uint8_t *in;   /* bytes of a frame that is not whole yet */
  size_t have;
};

static struct connection connections[MAX_FD];
static int files[MAX_PARTITION];
/* Where the next batch goes, its offset, and the size and records of the one before, which all have. */
static struct { uint64_t end, next; uint32_t bytes, records; } logs[MAX_PARTITION];
static const char *dir;
static uint8_t out[1 << 20];

static uint32_t crc32c(const uint8_t *p, size_t n) {
  uint64_t crc = 0xffffffffu;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  for (; n > 0; p++, n--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *p);
  return ~(uint32_t)crc;
}

static uint32_t u32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return be32toh(v);
}

static uint32_t varint(const uint8_t **p) {
  uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    uint8_t b = *(*p)++;
    value |= (uint32_t)(b & 0x7f) << shift;
    if (!(b & 0x80)) break;
  }
  return value;
}

static void append(int partition, uint8_t *records, size_t bytes) {
  if (partition < 0 || partition >= MAX_PARTITION) exit(3);
  if (files[partition] == 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.log", dir, partition);
    files[partition] = open(path, O_CREAT | O_RDWR | O_APPEND | O_TRUNC, 0644);
    if (files[partition] < 0) exit(4);
  }
  uint64_t offset = htobe64(logs[partition].next);
  memcpy(records, &offset, 8); /* the checksum does not cover it */
  if (write(files[partition], records, bytes) != (ssize_t)bytes) exit(5);
  logs[partition].bytes = (uint32_t)bytes;
  logs[partition].records = u32(records + 57);
  logs[partition].end += bytes;
  logs[partition].next += logs[partition].records;
}

/* A new topic takes the place of the old one. */
static void clear_logs(void) {
  for (int i = 0; i < MAX_PARTITION; i++) {
    if (files[i] > 0 && ftruncate(files[i], 0) != 0) exit(6);
  }
  memset(logs, 0, sizeof logs);
}

static void send_all(int fd, const uint8_t *bytes, size_t count, int flags) {
  while (count > 0) {
    ssize_t n = send(fd, bytes, count, flags | MSG_NOSIGNAL);
    if (n > 0) {
      bytes += n;
      count -= (size_t)n;
    } else if (n < 0 && errno != EAGAIN) {
      return;
    } else {
      poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
    }
  }
}

static uint8_t *put_varint(uint8_t *to, uint32_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = (uint8_t)(value | 0x80);
  *to++ = (uint8_t)value;
  return to;
}

static uint8_t *put64(uint8_t *to, uint64_t value) {
  value = htobe64(value);
  memcpy(to, &value, 8);
  return to + 8;
}

struct slice { uint32_t partition; uint64_t from; uint32_t bytes; };

/* One topic's partitions: heads from memory, records from the files. */
static void fetch(int fd, const uint8_t *frame) {
  static struct slice slices[MAX_PARTITION];
  const uint8_t *p = frame + 8;
  p += 2 + (p[0] << 8 | p[1]) + 1;   /* client id, tags */
  p += 4 + 4 + 4 + 4 + 1 + 4 + 4;    /* replica .. session */
  p++;                               /* one topic */
  const uint8_t *name = p;
  uint32_t name_length = varint(&p) - 1;
  p += name_length;
  size_t name_bytes = (size_t)(p - name);
  uint32_t count = varint(&p) - 1;
  if (count > MAX_PARTITION) exit(7);
  uint8_t head[64], number[5];
  size_t size = 4 + 1 + 4 + 2 + 4 + 1 + name_bytes + (size_t)(put_varint(number, count + 1) - number) + 1 + 1;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t offset;
    slices[i].partition = u32(p);
    memcpy(&offset, p + 8, 8);
    offset = be64toh(offset);
    uint32_t most = u32(p + 28);
    p += 4 + 4 + 8 + 4 + 8 + 4 + 1;
    if (slices[i].partition >= MAX_PARTITION) exit(7);
    uint32_t records = logs[slices[i].partition].records, bytes = logs[slices[i].partition].bytes;
    uint64_t from = records ? offset / records * bytes : 0, left = logs[slices[i].partition].end - from;
    slices[i].from = from;
    slices[i].bytes = (uint32_t)(left < most ? left : most);
    size += 4 + 2 + 8 + 8 + 8 + 1 + 4 + (size_t)(put_varint(number, slices[i].bytes + 1) - number) + slices[i].bytes + 1;
  }
  uint8_t *to = out;
  uint32_t big = htobe32((uint32_t)size);
  memcpy(to, &big, 4);
  memcpy(to + 4, frame + 4, 4);
  memset(to + 8, 0, 1 + 4 + 2 + 4);
  to += 4 + 4 + 1 + 4 + 2 + 4;
  *to++ = 2;
  memcpy(to, name, name_bytes);
  to = put_varint(to + name_bytes, count + 1);
  send_all(fd, out, (size_t)(to - out), MSG_MORE);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t end = logs[slices[i].partition].next;
    big = htobe32(slices[i].partition);
    memcpy(head, &big, 4);
    head[4] = head[5] = 0;
    to = put64(put64(put64(head + 6, end), end), 0);
    *to++ = 1;                /* no aborted transactions */
    memset(to, 0xff, 4);      /* no preferred replica */
    to = put_varint(to + 4, slices[i].bytes + 1);
    send_all(fd, head, (size_t)(to - head), MSG_MORE);
    off_t at = (off_t)slices[i].from;
    for (size_t left = slices[i].bytes; left > 0;) {
      ssize_t n = sendfile(fd, files[slices[i].partition], &at, left);
      if (n > 0) left -= (size_t)n;
      else if (n < 0 && errno != EAGAIN) return;
      else poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
    }
    send_all(fd, (const uint8_t *)"\0", 1, MSG_MORE); /* no tags */
  }
  send_all(fd, (const uint8_t *)"\0\0", 2, 0);
}

/* Answers one frame; returns the end of the answer in `to`. */
static uint8_t *answer(int fd, uint8_t *frame, uint8_t *to) {
  uint16_t api = (uint16_t)(frame[0] << 8 | frame[1]);
  if (api == 1) {
    fetch(fd, frame);
    return to;
  }
  const uint8_t *p = frame + 8;
  p += 2 + (p[0] << 8 | p[1]); /* client id */
  p++;                         /* no tags */
  uint8_t *start = to;
  to += 4;
  memcpy(to, frame + 4, 4);
  to += 4;
  *to++ = 0;
  if (api == 19) { /* CreateTopics 5: no topics in the answer */
    clear_logs();
    memcpy(to, "\0\0\0\0\1\0", 6);
    to += 6;
  } else if (api == 0) {
    p += 1 + 2 + 4 + 1; /* transactional id, acks, timeout, one topic */
    const uint8_t *name = p;
    uint32_t name_length = varint(&p) - 1;
    p += name_length;
    size_t name_bytes = (size_t)(p - name);
    p++; /* one partition */
    uint32_t partition = u32(p);
    p += 4;
    uint32_t bytes = varint(&p) - 1;
    int bad = crc32c(p + 21, bytes - 21) != u32(p + 17);
    if (!bad) append((int)partition, frame + (p - frame), bytes);
    *to++ = 2;
    memcpy(to, name, name_bytes);
    to += name_bytes;
    *to++ = 2;
    uint32_t index = htobe32(partition);
    memcpy(to, &index, 4);
    to += 4;
    memset(to, 0, 40);
    to[1] = bad ? 2 : 0;
    memset(to + 10, 0xff, 8); /* no log append time */
    to[26] = 1;               /* no record errors */
    to += 2 + 8 + 8 + 8 + 1 + 1 + 1 + 1 + 4 + 1;
  }
  uint32_t size = htobe32((uint32_t)(to - start - 4));
  memcpy(start, &size, 4);
  return to;
}

static void serve(int fd, uint8_t *receive) {
  struct connection *c = &connections[fd];
  uint8_t *buffer = receive;
  size_t have = 0;
  if (c->have > 0) {
    buffer = c->in;
    have = c->have;
  }
  ssize_t n = recv(fd, buffer + have, buffer == receive ? RECEIVE : BUFFER - have, 0);
  if (n <= 0) {
    if (n < 0 && errno == EAGAIN) return;
    close(fd);
    c->have = 0;
    return;
  }
  have += (size_t)n;
  size_t at = 0;
  uint8_t *to = out;
  while (have - at >= 4 && have - at >= 4 + (size_t)u32(buffer + at)) {
    to = answer(fd, buffer + at + 4, to);
    at += 4 + u32(buffer + at);
  }
  if (have > at) {
    if (c->in == NULL) c->in = malloc(BUFFER);
    memmove(c->in, buffer + at, have - at);
  }
  c->have = have - at;
  if (to > out && send(fd, out, (size_t)(to - out), 0) < 0) close(fd);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "floor PORT DIR\n");
    return 2;
  }
  dir = argv[2];
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(argv[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
    perror("floor");
    return 1;
  }
  struct epoll_event events[256], event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  uint8_t *receive = malloc(RECEIVE);
  for (;;) {
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        serve(fd, receive);
        continue;
      }
      int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (accepted < 0 || accepted >= MAX_FD) continue;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      connections[accepted].have = 0;
      event.data.fd = accepted;
      epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event);
    }
  }
}
