/* Messages to everybody on a topic: how many deliveries a second of the server's processor. A
   message is in flight until everybody has it; then its sender sends the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

enum { max_flights = 512 };
static const double warm_up_s = 1, measured_s = 4;

/* One message of each sender is under way. */
struct flight {
  struct client *sender;
  unsigned long number; /* of its message */
  size_t left;          /* who have not got it */
};

struct fanout {
  struct flight flights[max_flights];
  size_t count;
  size_t receivers; /* of each message */
  size_t under_way;
  uint64_t deliveries;
  bool is_ending; /* nothing new is sent */
};

/* The whole frame to a receiver has about 130 bytes. */
static void take_off(struct crowd *crowd, struct fanout *f, struct flight *flight) {
  char payload[128];
  flight->number += f->count;
  flight->left = f->receivers;
  f->under_way++;
  snprintf(payload, sizeof payload,
           "{\"n\":%lu,\"text\":\"a line of a chat, as long as people are used to write them\"}",
           flight->number);
  client_push(crowd, flight->sender, "shout", payload);
}

static void on_shout(struct crowd *crowd, struct client *c,
                     const struct presence__phoenix *message) {
  static const char head[] = "{\"n\":";
  struct fanout *f = crowd->context;
  const char *text = message->payload.text;
  if (message->payload.size < sizeof head || memcmp(text, head, sizeof head - 1) != 0) {
    crowd_error(crowd, c, text, message->payload.size);
    return;
  }
  unsigned long number = strtoul(text + sizeof head - 1, NULL, 10);
  struct flight *flight = &f->flights[number % f->count];
  if (number != flight->number || flight->left == 0) {
    static const char what[] = "got a message twice";
    crowd_error(crowd, c, what, sizeof what - 1);
    return;
  }
  f->deliveries++;
  if (--flight->left > 0) return;
  f->under_way--;
  if (!f->is_ending) take_off(crowd, f, flight);
}

static void fly(struct crowd *crowd, double for_s, double patience_s) {
  struct fanout *f = crowd->context;
  f->deliveries = 0;
  f->is_ending = false;
  for (size_t i = 0; i < f->count; i++)
    take_off(crowd, f, &f->flights[i]);
  crowd_work_for(crowd, for_s);
  f->is_ending = true;
  for (double until = meter_now_s() + patience_s; f->under_way > 0 && crowd->errors == 0;) {
    crowd_step(crowd, 100);
    if (meter_now_s() > until) die("%zu messages have not reached everybody", f->under_way);
  }
}

static void measure(const struct load_options *o, struct crowd *crowd, const char *name) {
  struct fanout *f = crowd->context;
  fly(crowd, warm_up_s * o->scale, o->patience_s);
  double cpu = meter_cpu_s(&o->meter), began = meter_now_s();
  fly(crowd, measured_s * o->scale, o->patience_s);
  double took = meter_now_s() - began;
  load_row(name, (double)f->deliveries / (meter_cpu_s(&o->meter) - cpu), "deliveries a CPU second");
  char timed[96];
  snprintf(timed, sizeof timed, "%s, by the clock", name);
  load_row(timed, (double)f->deliveries / took, "deliveries a second");
}

/* `senders` of the first topic, or the first client of each topic. */
static void choose_senders(struct crowd *crowd, struct fanout *f, size_t senders, size_t apart) {
  f->count = senders;
  for (size_t i = 0; i < senders; i++)
    f->flights[i] = (struct flight){.sender = &crowd->clients[i * apart], .number = i};
}

static void gather(const struct load_options *o, struct crowd *crowd, size_t count, size_t size,
                   struct fanout *f) {
  crowd_init(crowd, o->host, o->port, count, size);
  for (size_t i = 0; i < count; i++)
    client_open(crowd, &crowd->clients[i]);
  crowd_await_joins(crowd, 0, count, o->patience_s);
  (void)judge_settled(crowd, o->patience_s);
  memset(f, 0, sizeof *f);
  f->receivers = size;
  crowd->context = f;
  crowd->on_event = on_shout;
}

bool load_fanout(const struct load_options *o) {
  struct crowd crowd;
  static struct fanout f;
  size_t count = load_scaled(o, 500, 16);
  gather(o, &crowd, count, count, &f);
  choose_senders(&crowd, &f, 1, 0);
  measure(o, &crowd, "one message in flight");
  choose_senders(&crowd, &f, 8, count / 8);
  measure(o, &crowd, "eight in flight");
  return load_verdict(&crowd, judge(&crowd, true));
}

bool load_fanout_many(const struct load_options *o) {
  enum { size = 10 };
  struct crowd crowd;
  static struct fanout f;
  size_t topics = load_scaled(o, 500, 2);
  if (topics > max_flights) topics = max_flights;
  gather(o, &crowd, topics * size, size, &f);
  choose_senders(&crowd, &f, topics, size);
  measure(o, &crowd, "one in flight a topic");
  return load_verdict(&crowd, judge(&crowd, true));
}
