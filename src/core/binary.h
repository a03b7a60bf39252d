/* The compact form of a state.

     form     "PRSN" version:1 topics:varint topic* checksum:8
     topic    name keys:varint key*
     key      name metas:varint meta*                       oldest first
     meta     flags:1 pid data [ref previous]
     pid      zigzag varint, or text when flags has STRING
     name, text, data, ref, previous     size:varint bytes

   A varint has seven bits a byte, the lowest first, and no byte more than it needs. Numbers of
   topics, keys and metas are at least 1 (of topics: 0), no topic or key comes twice. Data with a
   ref is an object without white space around it and without members phx_ref and phx_ref_prev. The
   checksum, lowest byte first, is SipHash-1-3 over each block of 4096 bytes (the last may be
   shorter), each keyed by the one before and its number. */
#ifndef PRESENCE_CORE_BINARY_H
#define PRESENCE_CORE_BINARY_H

#include <stddef.h>
#include <stdint.h>

#define PRESENCE__MAGIC "PRSN"
#define PRESENCE__MAGIC_BYTES ((size_t)4)
#define PRESENCE__FORM_VERSION 1
#define PRESENCE__BLOCK_BYTES ((size_t)4096)
#define PRESENCE__CHECKSUM_BYTES ((size_t)8)

#define PRESENCE__FLAG_STRING 1u
#define PRESENCE__FLAG_REF 2u

#endif
