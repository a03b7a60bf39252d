/* Counts of who holds an object, and the gate of a heap: all that a build with PRESENCE_ATOMIC, in
   which threads share versions, does otherwise than one without.

   Why edits in place stay right there. An editor edits an object in place when its count is one,
   and so is the count of everything on the way to it from the editor's state. A thread that is to
   raise a count comes to the object through a version it holds, and that version's way to the
   object would be a second reference to it, or to something above it: so nobody can raise a count
   that the editor finds to be one there. Others may only lower counts at the same time. An editor
   that still finds two makes a copy it could have saved itself, and when it then gives up its share
   of the old object it may be the last after all (refs_down_shared). An editor that finds one must
   see all that the others did before they let go, for it is about to overwrite what they read: they
   lower the count with release, it looks with acquire. Each change of a count reads what the one
   before wrote, so the last of them stands for all. To raise a count orders nothing: who does so
   holds the object already, and whoever passes a version to another thread passes it by something
   that orders (a lock, a queue).

   The gate is a lock over a heap's chunks, free lists and queue, held for a few instructions at a
   time, and the number of threads that are giving something up: the last thing in a heap that was
   closed takes the heap along, and of several threads that see it empty the last one out does. */
#ifndef PRESENCE_CORE_REFCOUNT_H
#define PRESENCE_CORE_REFCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef PRESENCE_ATOMIC

/* pthread's lock and not mtx_t of C11: libc has both, but ThreadSanitizer follows only the first.
 */
#include <pthread.h>
#include <stdatomic.h>

typedef _Atomic uint32_t presence__refcount;
typedef struct presence__gate {
  pthread_mutex_t mutex;
  uint32_t inside;
} presence__gate;

_Static_assert(sizeof(presence__refcount) == 4 && ATOMIC_INT_LOCK_FREE == 2,
               "counts are words of their own");

static inline void presence__refs_init(presence__refcount *refs) {
  atomic_init(refs, 1);
}

static inline void presence__refs_up(presence__refcount *refs) {
  atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

static inline bool presence__refs_down(presence__refcount *refs) {
  return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static inline bool presence__refs_down_shared(presence__refcount *refs) {
  return presence__refs_down(refs);
}

static inline bool presence__refs_is_one(const presence__refcount *refs) {
  return atomic_load_explicit((presence__refcount *)refs, memory_order_acquire) == 1;
}

static inline bool presence__gate_init(presence__gate *gate) {
  gate->inside = 0;
  return pthread_mutex_init(&gate->mutex, NULL) == 0;
}

static inline void presence__gate_destroy(presence__gate *gate) {
  pthread_mutex_destroy(&gate->mutex);
}

static inline void presence__gate_lock(presence__gate *gate) {
  pthread_mutex_lock(&gate->mutex);
}

static inline void presence__gate_unlock(presence__gate *gate) {
  pthread_mutex_unlock(&gate->mutex);
}

static inline void presence__gate_enter(presence__gate *gate) {
  presence__gate_lock(gate);
  gate->inside++;
  presence__gate_unlock(gate);
}

static inline bool presence__gate_leave(presence__gate *gate) {
  return --gate->inside == 0;
}

#else

typedef uint32_t presence__refcount;
typedef char presence__gate;

static inline void presence__refs_init(presence__refcount *refs) {
  *refs = 1;
}

static inline void presence__refs_up(presence__refcount *refs) {
  ++*refs;
}

/* True when that was the last one. */
static inline bool presence__refs_down(presence__refcount *refs) {
  return --*refs == 0;
}

/* The same for a count that was found to be above one: it only comes to 0 where another thread can
   have lowered it since. */
static inline bool presence__refs_down_shared(presence__refcount *refs) {
  --*refs;
  return false;
}

/* Nobody else holds the object. */
static inline bool presence__refs_is_one(const presence__refcount *refs) {
  return *refs == 1;
}

/* False when the system has no lock left. */
static inline bool presence__gate_init(presence__gate *gate) {
  *gate = 0;
  return true;
}

static inline void presence__gate_destroy(const presence__gate *gate) {
  (void)gate;
}

static inline void presence__gate_lock(const presence__gate *gate) {
  (void)gate;
}

static inline void presence__gate_unlock(const presence__gate *gate) {
  (void)gate;
}

/* To be called while the caller holds something of the heap. */
static inline void presence__gate_enter(const presence__gate *gate) {
  (void)gate;
}

/* True when nobody else is inside. The gate is locked. */
static inline bool presence__gate_leave(const presence__gate *gate) {
  (void)gate;
  return true;
}

#endif

#endif
