/* phx_ref, which the wire gets and the application does not: what stands behind a meta's bytes
   without their last brace. */
#ifndef PRESENCE_CORE_SUFFIX_H
#define PRESENCE_CORE_SUFFIX_H

#include "core/presence.h"

#define PRESENCE__SUFFIX_BYTES (2 * PRESENCE_MAX_REF_BYTES + 64)

struct presence__suffix {
  size_t size;
  char bytes[PRESENCE__SUFFIX_BYTES];
};

/* PRESENCE_NOT_OBJECT, PRESENCE_BAD_REF, PRESENCE_TOO_LARGE. */
enum presence_status presence__suffix_check(presence_string meta, presence_string ref);

/* Writes the suffix of a meta; previous may be empty. Both have been checked. */
void presence__suffix_write(struct presence__suffix *suffix, presence_string meta,
                            presence_string ref, presence_string previous);

/* phx_ref_prev of a meta, *borrowed*; empty when it has none. */
presence_string presence__suffix_previous(const presence_meta *meta);

#endif
