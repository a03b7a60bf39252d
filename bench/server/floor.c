/* What no server can go below on this machine: a process of C that knows neither WebSockets nor
   presence, only takes bytes and writes them on, on the core of the server that is measured. What
   comes is for its sender alone (first byte 'e'), or for everybody ('b'). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

enum { message_bytes = 130, beat_bytes = 60, crowd_size = 500, joins = 100, idle_clients = 10000 };
static const double fanout_s = 3, idle_s = 20, rests_s = 0.16, beats_a_second_each = 1.0 / 30;

struct floor {
  pid_t pid;
  struct meter meter;
  int epoll, *clients;
  size_t count;
};

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll: %s", strerror(errno));
}

static void no_delay(int fd) {
  int yes = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* ---- The process that writes ---- */

static void write_on(const int *peers, size_t count, int from, const char *bytes, size_t n) {
  if (bytes[0] == 'e') {
    (void)!send(from, bytes, n, MSG_NOSIGNAL);
    return;
  }
  for (size_t i = 0; i < count; i++)
    (void)!send(peers[i], bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static _Noreturn void serve(int listener, size_t most) {
  int epoll = epoll_create1(0), *peers = grow(NULL, most, sizeof *peers);
  size_t count = 0;
  struct epoll_event events[256];
  char bytes[1024];
  watch(epoll, listener);
  for (;;) {
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0 || count == most) _exit(1);
        no_delay(peer);
        watch(epoll, peers[count++] = peer);
        continue;
      }
      ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n > 0) write_on(peers, count, fd, bytes, (size_t)n);
      if (n == 0) _exit(0); /* the clients have gone */
    }
  }
}

/* ---- Its clients ---- */

/* The process runs where the server runs. */
static void move_to_server(const struct load_options *o) {
  cpu_set_t cores;
  if (o->meter.count > 0 && sched_getaffinity(o->meter.pids[0], sizeof cores, &cores) == 0)
    (void)sched_setaffinity(0, sizeof cores, &cores);
}

static void end(struct floor *f) {
  kill(f->pid, SIGKILL);
  (void)waitpid(f->pid, NULL, 0);
  for (size_t i = 0; i < f->count; i++)
    close(f->clients[i]);
  close(f->epoll);
  free(f->clients);
}

static void say(int fd, char kind, size_t n) {
  char bytes[message_bytes];
  memset(bytes, kind, sizeof bytes);
  if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n) die("the floor is gone");
}

/* Reads what is there, after waiting for it at most so long; returns how many bytes. */
static size_t hear(struct floor *f, int timeout_ms) {
  struct epoll_event events[256];
  char bytes[4096];
  size_t heard = 0;
  int ready = epoll_wait(f->epoll, events, 256, timeout_ms);
  for (int i = 0; i < ready; i++) {
    ssize_t n = recv(events[i].data.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0) die("the floor is gone");
    if (n > 0) heard += (size_t)n;
  }
  return heard;
}

static void hear_all(const struct load_options *o, struct floor *f, size_t bytes) {
  for (double until = meter_now_s() + o->patience_s; bytes > 0;) {
    size_t heard = hear(f, 100);
    bytes -= heard < bytes ? heard : bytes;
    if (meter_now_s() > until) die("the floor did not write all");
  }
}

static void begin(const struct load_options *o, struct floor *f, size_t count) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, (struct sockaddr *)&at, &size) != 0)
    die("no port for the floor: %s", strerror(errno));
  f->pid = fork();
  if (f->pid < 0) die("fork: %s", strerror(errno));
  if (f->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    move_to_server(o);
    serve(listener, count);
  }
  close(listener);
  f->meter = (struct meter){.pids = {f->pid}, .count = 1};
  f->epoll = epoll_create1(0);
  f->clients = grow(NULL, count, sizeof *f->clients);
  f->count = count;
  for (size_t i = 0; i < count; i++) {
    f->clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (f->clients[i] < 0 || connect(f->clients[i], (struct sockaddr *)&at, sizeof at) != 0)
      die("the floor took %zu of %zu connections: %s", i, count, strerror(errno));
    no_delay(f->clients[i]);
    watch(f->epoll, f->clients[i]);
    say(f->clients[i], 'e', 1);
  }
  hear_all(o, f, count); /* it has accepted all */
}

/* One message after another, each to all. */
static void fan_out(const struct load_options *o) {
  struct floor f;
  begin(o, &f, load_scaled(o, crowd_size, 16));
  size_t deliveries = 0;
  double cpu = 0, began = meter_now_s(), warm_up_s = fanout_s * o->scale / 4;
  for (bool is_warm = false; meter_now_s() < began + fanout_s * o->scale + warm_up_s;) {
    if (!is_warm && meter_now_s() > began + warm_up_s) {
      cpu = meter_cpu_s(&f.meter), deliveries = 0, is_warm = true;
    }
    say(f.clients[0], 'b', message_bytes);
    hear_all(o, &f, f.count * message_bytes);
    deliveries += f.count;
  }
  load_row("fan-out, one message in flight", (double)deliveries / (meter_cpu_s(&f.meter) - cpu),
           "deliveries a CPU second");
  end(&f);
}

/* A byte from one client to another, on a machine that has nothing else to do. */
static void pass_on(const struct load_options *o) {
  struct floor f;
  size_t count = load_scaled(o, joins, 5);
  double *took = grow(NULL, count, sizeof *took);
  begin(o, &f, 2);
  for (size_t i = 0; i < count; i++) {
    for (double until = meter_now_s() + rests_s; meter_now_s() < until;)
      (void)hear(&f, 10);
    double began = meter_now_s();
    say(f.clients[1], 'b', message_bytes);
    hear_all(o, &f, f.count * message_bytes);
    took[i] = (meter_now_s() - began) * 1000;
  }
  load_row("from one client to another, p50", load_percentile(took, count, 0.5), "ms");
  load_row("from one client to another, p99", load_percentile(took, count, 0.99), "ms");
  free(took);
  end(&f);
}

/* Clients that send a heartbeat now and then and get it back. */
static void idle(const struct load_options *o) {
  struct floor f;
  begin(o, &f, load_scaled(o, idle_clients, 20));
  double for_s = idle_s * o->scale, rate = (double)f.count * beats_a_second_each;
  size_t beats = 0, heard = 0;
  double cpu = meter_cpu_s(&f.meter), began = meter_now_s();
  for (;;) {
    double now = meter_now_s();
    if (now >= began + for_s) break;
    for (; (double)beats < (now - began) * rate; beats++)
      say(f.clients[beats * 7919 % f.count], 'e', beat_bytes);
    heard += hear(&f, 3);
  }
  load_row("idle", (meter_cpu_s(&f.meter) - cpu) / for_s * 100, "% of a core");
  hear_all(o, &f, beats * beat_bytes - heard);
  end(&f);
}

bool load_floor(const struct load_options *o) {
  meter_allow_files(idle_clients + 100);
  fan_out(o);
  pass_on(o);
  idle(o);
  return true;
}
