/* SPDX-License-Identifier: ISC */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_FIRST 2048U /* octets of a first read; most heads are shorter */

struct job *
job_new(struct channel *c, const struct handoff_job *m, int fd)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	j->wire = c->wire;
	j->channel = c;
	if ((j->behind = c->jobs) != NULL)
		j->behind->before = j;
	c->jobs = j;
	c->njobs++;
	c->round = (c->round > c->wire->round ? c->round : c->wire->round) + 1;
	j->round = c->round;
	j->mail.fd = fd;
	j->number = m->job;
	j->nrcpt = m->nrcpt < HANDOFF_RCPTS ? m->nrcpt : HANDOFF_RCPTS;
	memcpy(j->rcpt, m->rcpt, j->nrcpt * sizeof(j->rcpt[0]));
	j->watched = m->watched;
	c->nwatched += j->watched;
	c->wire->watched += j->watched;
	j->arrived = c->wire->now;
	c->wire->jobs++;
	return j;
}

/* Octets from the start of the file, `want` of them where it has as many. 0, or -1 with errno. */
static int
read_head(int fd, struct buf *head, size_t want)
{
	while (head->len < want) {
		char *to = buf_reserve(head, want - head->len);
		ssize_t n;

		if (to == NULL) {
			errno = head->error;
			return -1;
		}
		n = pread(fd, to, want - head->len, (off_t)head->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			return 0;
		head->len += (size_t)n;
	}
	return 0;
}

/* The length of the head, or -1 with *why. */
static long
parse_head(struct job *j, const char **why)
{
	struct buf head = BUF_INIT(ENVELOPE_HEAD_MAX);
	size_t want = HEAD_FIRST;
	long len = 0;

	for (; len == 0; want *= 2) {
		size_t before = head.len;

		if (want > ENVELOPE_HEAD_MAX)
			want = ENVELOPE_HEAD_MAX;
		*why = "cut short";
		if (read_head(j->mail.fd, &head, want) == -1) {
			*why = strerror(errno);
			len = -1;
		} else if (head.len == before)
			len = -1;
		else {
			envelope_free(&j->envelope);
			memset(&j->envelope, 0, sizeof(j->envelope));
			len = envelope_parse(&j->envelope, head.data, head.len, why);
			if (*why == NULL)
				*why = strerror(errno);
		}
	}
	buf_free(&head);
	return len;
}

/* What the envelope promises must be there; of its recipients the job's are kept. */
static const char *
check(struct job *j, uint64_t head, uint64_t size)
{
	if (j->envelope.size > size || head > size - j->envelope.size)
		return "shorter than its envelope says";
	if (envelope_keep(&j->envelope, j->rcpt, j->nrcpt) == 0)
		return NULL;
	return errno == EINVAL ? "without the recipient asked for" : strerror(errno);
}

static const char *
read_file(struct job *j)
{
	struct stat st;
	const char *why = NULL;
	long head;

	if (fstat(j->mail.fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if ((head = parse_head(j, &why)) == -1)
		return why;
	j->mail.offset = (uint64_t)head;
	j->mail.trusted = st.st_uid == geteuid() || st.st_uid == 0;
	return check(j, (uint64_t)head, (uint64_t)st.st_size);
}

/* Said before the file is looked at: should that be our end, it is known whose it was. */
static void
tell_begun(const struct job *j)
{
	union handoff_message m = {.done = {.type = HANDOFF_BEGUN, .job = j->number}};

	outbox_put(&j->channel->outbox, &m);
}

int
job_open(struct job *j, struct outcome *o)
{
	const char *why;

	tell_begun(j);
	why = read_file(j);

	if (why != NULL) {
		*o = status_trouble(STAGE_CONFIG, SCOPE_MESSAGE, STATUS(4, 3, 0),
		    "the spool file is damaged: %s", why);
		return -1;
	}
	j->mail.transaction.envelope = &j->envelope;
	j->mail.transaction.rcpt = NULL; /* all of the envelope's: see check() */
	j->mail.transaction.nrcpt = j->nrcpt;
	j->mail.transaction.owner = j;
	j->begun = j->wire->now;
	return 0;
}

static uint32_t
milliseconds(int64_t ms)
{
	return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

void
job_result(struct job *j, size_t i, const struct outcome *o, const struct job_report *r)
{
	union handoff_message m;
	struct handoff_result *result = &m.result;
	int64_t now = j->wire->now, begun = j->begun != 0 ? j->begun : now;

	memset(result, 0, sizeof(*result));
	result->type = HANDOFF_RESULT;
	result->job = j->number;
	result->rcpt = j->rcpt[i];
	result->outcome = *o;
	snprintf(result->relay, sizeof(result->relay), "%s", r->relay);
	snprintf(result->tls, sizeof(result->tls), "%s", r->tls);
	result->waited = milliseconds(begun - j->arrived - r->connected);
	result->connected = r->connected;
	result->dsn = r->dsn;
	result->lmtp = r->lmtp;
	result->sent = milliseconds(now - begun);
	j->answered[i] = true;
	outbox_put(&j->channel->outbox, &m);
}

void
job_settle(struct job *j, const struct outcome *o, const struct job_report *r)
{
	for (size_t i = 0; i < j->nrcpt; i++)
		if (!j->answered[i])
			job_result(j, i, o, r);
	job_end(j);
}

void
job_reopen(struct job *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nrcpt; i++)
		if (!j->answered[i])
			j->rcpt[n++] = j->rcpt[i];
	j->nrcpt = n;
	memset(j->answered, 0, sizeof(j->answered));
	envelope_free(&j->envelope);
	memset(&j->envelope, 0, sizeof(j->envelope));
	j->begun = 0;
	j->held = j->later = false;
}

void
job_end(struct job *j)
{
	union handoff_message m = {.done = {.type = HANDOFF_DONE, .job = j->number}};

	outbox_put(&j->channel->outbox, &m);
	job_drop(j);
}

void
job_drop(struct job *j)
{
	if (j->mail.fd != -1)
		close(j->mail.fd);
	envelope_free(&j->envelope);
	if (j->behind != NULL)
		j->behind->before = j->before;
	*(j->before != NULL ? &j->before->behind : &j->channel->jobs) = j->behind;
	j->channel->njobs--;
	j->channel->nwatched -= j->watched;
	j->wire->jobs--;
	j->wire->watched -= j->watched;
	free(j);
}

void
job_queue_init(struct job_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->tail_round = 0;
}

void
job_queue_add(struct job_queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
}

void
job_queue_fair(struct job_queue *q, struct job *j)
{
	struct job **at = q->last;

	if (q->tail_round > j->round)
		for (at = &q->first; *at != NULL && (*at)->round <= j->round;)
			at = &(*at)->next;
	if ((j->next = *at) == NULL) {
		q->last = &j->next;
		q->tail_round = j->round;
	}
	*at = j;
}

void
job_queue_purge(struct job_queue *q, const struct channel *c)
{
	struct job_queue all = *q;
	struct job *j;

	if (q->first == NULL)
		return;
	job_queue_init(q);
	while ((j = job_queue_take(&all)) != NULL)
		if (j->channel == c)
			job_drop(j);
		else
			job_queue_fair(q, j);
}

void
job_queue_return(struct job_queue *q, struct job_queue *from)
{
	if (from->first == NULL)
		return;
	*from->last = q->first;
	if (q->first == NULL)
		q->last = from->last;
	q->first = from->first;
	job_queue_init(from);
}

struct job *
job_queue_take(struct job_queue *q)
{
	struct job *j = q->first;

	if (j != NULL && (q->first = j->next) == NULL)
		q->last = &q->first;
	return j;
}
