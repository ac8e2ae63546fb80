/* SPDX-License-Identifier: ISC */
#include "parcel.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *section, *key;
} carried[] = {
    {"mail", "domain"},
    {"mail", "hostname"},
    {"rewrite", "envelope_from"},
    {"rewrite", "header_from"},
    {"rewrite", "reply_to"},
    {"rewrite", "keep"},
    {"queue", "deliver"},
    {"queue", "wait"},
};

#define NCARRIED (sizeof(carried) / sizeof(carried[0]))

bool
parcel_carries(const char *section, const char *key)
{
	for (size_t i = 0; i < NCARRIED; i++)
		if (strcmp(carried[i].section, section) == 0 && strcmp(carried[i].key, key) == 0)
			return true;
	return false;
}

static void
add_upper(struct buf *b, const char *word)
{
	for (; *word != '\0'; word++)
		buf_addc(b, *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word);
}

void
parcel_add_setting(struct buf *b, const char *section, const char *key, const char *value)
{
	add_upper(b, section);
	buf_addc(b, '_');
	add_upper(b, key);
	buf_addc(b, '=');
	buf_add(b, value, strlen(value) + 1);
}

/* Whether this is "SECTION_KEY=value" of one that travels. */
static bool
good_setting(const char *setting)
{
	for (size_t i = 0; i < NCARRIED; i++) {
		struct buf name = BUF_INIT(256);
		bool same;
		parcel_add_setting(&name, carried[i].section, carried[i].key, "");
		same = name.error == 0 && strncmp(setting, name.data, name.len - 1) == 0;
		buf_free(&name);
		if (same)
			return true;
	}
	return false;
}

bool
parcel_head_valid(const struct parcel_head *h)
{
	return memcmp(h->magic, PARCEL_MAGIC, sizeof(h->magic)) == 0 && h->settings <= NCARRIED &&
	       h->words <= PARCEL_STRINGS && h->octets <= PARCEL_OCTETS;
}

bool
parcel_cut(const struct parcel_head *h, char *data, size_t len, char **strings)
{
	size_t n = (size_t)h->settings + h->words, at = 0;

	if (len != h->octets)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *end = at < len ? memchr(data + at, '\0', len - at) : NULL;
		if (end == NULL || (i < h->settings && !good_setting(data + at)))
			return false;
		strings[i] = data + at;
		at = (size_t)(end - data) + 1;
	}
	strings[n] = NULL;
	return at == len;
}

int
parcel_answer(int conn, enum parcel_kind kind, int status, const char *text)
{
	struct parcel_answer a = {.kind = (uint8_t)kind, .status = (uint8_t)status};
	size_t len;

	strlcpy(a.text, text, sizeof(a.text));
	len = offsetof(struct parcel_answer, text) + strlen(a.text);
	return send(conn, &a, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 : 0;
}

int
parcel_listen(int conn, struct parcel_answer *a)
{
	const ssize_t least = offsetof(struct parcel_answer, text);
	ssize_t n;

	memset(a, 0, sizeof(*a));
	do
		n = recv(conn, a, sizeof(*a) - 1, 0);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	if (n >= least && a->kind <= PARCEL_DONE)
		return 1;
	errno = EBADMSG;
	return -1;
}
