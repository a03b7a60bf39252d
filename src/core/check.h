/* What must hold of a state, for tests and debug builds. */
#ifndef PRESENCE_CORE_CHECK_H
#define PRESENCE_CORE_CHECK_H

#include "core/presence.h"

/* Walks the whole state and checks every count, that each name stands where its hash says, that
   shapes are canonical, and that counts of references are sane. NULL: all is well; otherwise what
   is not, a static text. *bytes (unless NULL) becomes the bytes of memory of all that was walked,
   the state included: when nothing else lives in the heap and nothing is shared within the state,
   its live bytes. O(size). */
const char *presence__check(const presence_state *state, size_t *bytes);

#endif
