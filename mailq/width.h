/* SPDX-License-Identifier: ISC */
/*
 * width: text in the columns of a terminal. Text is clean and UTF-8; an East Asian character or an
 * emoji takes two columns, a combining mark none.
 */
#ifndef MAILQ_WIDTH_H
#define MAILQ_WIDTH_H

#include <stddef.h>

/* Columns that text[len] takes. */
size_t width_of(const char *text, size_t len);

/* Octets at the start of text[len] that take `columns` at most, whole characters. */
size_t width_fit(const char *text, size_t len, size_t columns);

/* To stdout: the text, cut to `columns` with "..." at its end where it is longer. */
void width_print(const char *text, size_t columns);

/* To stdout: the text in lines of `columns`, broken at spaces where it can be, each line indented. */
void width_wrap(const char *text, size_t indent, size_t columns);

#endif
