/* phx_ref, which the wire gets and the application does not: what stands behind a meta's bytes
   without their last brace. */
#ifndef PRESENCE_CORE_SUFFIX_H
#define PRESENCE_CORE_SUFFIX_H

#include "core/presence.h"
#include "text/json.h"

/* Members of these names are the wire's: phx_ref and phx_ref_prev. */
#define PRESENCE__REF_NAMES 2
extern const struct presence__json_span presence__ref_names[PRESENCE__REF_NAMES];

#define PRESENCE__SUFFIX_BYTES (2 * PRESENCE_MAX_REF_BYTES + 64)

struct presence__suffix {
  size_t size;
  char bytes[PRESENCE__SUFFIX_BYTES];
};

/* Is no top-level member of an object named so? */
bool presence__suffix_is_free(presence_string meta);

/* PRESENCE_NOT_OBJECT, PRESENCE_BAD_REF, PRESENCE_TOO_LARGE. Asserts that meta is JSON without
   members of those names. */
enum presence_status presence__suffix_check(presence_string meta, presence_string ref);

/* Writes the suffix of a meta; previous may be empty. Both have been checked. */
void presence__suffix_write(struct presence__suffix *suffix, presence_string meta,
                            presence_string ref, presence_string previous);

/* phx_ref_prev of a meta, *borrowed*; empty when it has none. */
presence_string presence__suffix_previous(const presence_meta *meta);

#endif
