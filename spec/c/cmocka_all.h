/* cmocka wants these before itself. */
#ifndef PRESENCE_SPEC_CMOCKA_ALL_H
#define PRESENCE_SPEC_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
