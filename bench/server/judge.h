/* Are the mirrors what is true? The truth is the crowd's own: who has joined which topic, and with
   which of his joins. */
#ifndef BENCH_SERVER_JUDGE_H
#define BENCH_SERVER_JUDGE_H

#include "bench/server/client.h"

/* How many clients with a mirror have joined, and how many of those mirrors differ from the truth.
   All mirrors of a topic must hold the same bytes of every meta, its phx_ref too. The first few
   differences are told on standard error when tells. O(presences in all mirrors). */
struct verdict {
  size_t mirrors;
  size_t wrong;
};
struct verdict judge(struct crowd *crowd, bool tells);

/* Works until every mirror is exact and nothing of presences comes for a while, or the time is up;
   the verdict tells what then is wrong. */
struct verdict judge_settled(struct crowd *crowd, double timeout_s);

#endif
